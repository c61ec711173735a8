namespace TypedWeights.Memory;

/// <summary>A run of memory outside the managed heap. Disposing gives it back; its owner sees to it that nobody reads or writes it then.</summary>
internal abstract class NativeRegion : IDisposable
{
    private int _disposed;

    protected NativeRegion(nint address, long length)
    {
        Address = address;
        Length = length;
    }

    /// <summary>The first byte.</summary>
    public nint Address { get; }

    /// <summary>The number of bytes.</summary>
    public long Length { get; }

    /// <summary>Gives the memory back. Doing it twice is harmless.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Free();
        }
    }

    protected abstract void Free();
}
