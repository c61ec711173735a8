namespace TypedWeights.Memory;

/// <summary>
/// Memory outside the managed heap. Disposing it frees the memory; its owner makes sure that nobody reads or writes it after that.
/// </summary>
/// <param name="address">The first byte.</param>
/// <param name="length">The number of bytes.</param>
internal abstract class NativeRegion(nint address, long length) : IDisposable
{
    private int _disposed;

    /// <summary>The first byte.</summary>
    public nint Address { get; } = address;

    /// <summary>The number of bytes.</summary>
    public long Length { get; } = length;

    /// <summary>Frees the memory. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Free();
        }
    }

    protected abstract void Free();
}

/// <summary>Memory that keeps something in use until it is freed.</summary>
internal sealed class LeasedRegion(NativeRegion inner, IDisposable lease) : NativeRegion(inner.Address, inner.Length)
{
    protected override void Free()
    {
        inner.Dispose();
        lease.Dispose();
    }
}
