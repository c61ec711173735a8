namespace TypedWeights.Tests.Simulation;

/// <summary>
/// Copies and kernels that the host has not yet seen the end of. Whether they are done does not matter: what nobody waited for may be
/// running.
/// </summary>
internal sealed class SimulatedWork
{
    private readonly List<Item> _copies = [];
    private readonly List<Item> _kernels = [];

    /// <summary>What the host knows to be done.</summary>
    public SimulatedClock Host { get; } = new();

    public void AddCopy(Item copy) => _copies.Add(copy);

    public void AddKernel(Item kernel) => _kernels.Add(kernel);

    /// <summary>The host has seen that all of this is done.</summary>
    public void Confirm(SimulatedClock clock)
    {
        Host.Add(clock);
        _copies.RemoveAll(item => Host.Has(item.Stream, item.Number));
        _kernels.RemoveAll(item => Host.Has(item.Stream, item.Number));
    }

    public bool IsCopiedFrom(nint address, long length) => _copies.Exists(copy => Overlaps(copy.Host, copy.Length, address, length));

    public bool IsCopiedTo(nint address, long length) => _copies.Exists(copy => Overlaps(copy.Device, copy.Length, address, length));

    /// <summary>Whether a kernel reads the bytes that need not be done when something with this clock begins.</summary>
    public bool IsReadBefore(nint address, long length, SimulatedClock clock) => _kernels.Exists(
        kernel => Overlaps(kernel.Device, kernel.Length, address, length) && !clock.Has(kernel.Stream, kernel.Number));

    private static bool Overlaps(nint a, long aLength, nint b, long bLength) => a < b + (nint)bLength && b < a + (nint)aLength;

    /// <summary>One of them; a kernel has no host memory.</summary>
    internal sealed record Item(int Stream, long Number, nint Device, nint Host, long Length);
}
