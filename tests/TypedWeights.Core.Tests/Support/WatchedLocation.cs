using TypedWeights.Sources;

namespace TypedWeights.Tests;

/// <summary>Another location with its files counted: how many are open, how many were at once, and how many bytes were read.</summary>
internal sealed class WatchedLocation(IWeightLocation inner) : IWeightLocation
{
    private int _open;
    private int _opening;
    private int _mostOpening;
    private long _bytesRead;
    private int _opened;

    public string EntryName => inner.EntryName;

    public string? Revision => inner.Revision;

    /// <summary>Files that are open now.</summary>
    public int Open => _open;

    /// <summary>Files that were opened in all.</summary>
    public int Opened => _opened;

    /// <summary>The most files that were being opened at once.</summary>
    public int MostOpening => _mostOpening;

    public long BytesRead => _bytesRead;

    /// <summary>Runs while a file is being opened.</summary>
    public Func<string, CancellationToken, Task>? Opening { get; set; }

    public async ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken)
    {
        int opening = Interlocked.Increment(ref _opening);
        for (int most = _mostOpening; opening > most; most = _mostOpening)
        {
            Interlocked.CompareExchange(ref _mostOpening, opening, most);
        }

        try
        {
            if (Opening is not null)
            {
                await Opening(name, cancellationToken);
            }

            IWeightSource source = await inner.OpenAsync(name, cancellationToken);
            Interlocked.Increment(ref _open);
            Interlocked.Increment(ref _opened);
            return new Source(this, source);
        }
        finally
        {
            Interlocked.Decrement(ref _opening);
        }
    }

    private sealed class Source(WatchedLocation owner, IWeightSource inner) : IWeightSource
    {
        private int _disposed;

        public string Display => inner.Display;

        public long Length => inner.Length;

        public string? Validator => inner.Validator;

        public async ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken) =>
            new Reader(owner, await inner.OpenRangeAsync(offset, length, cancellationToken));

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Interlocked.Decrement(ref owner._open);
            }

            return inner.DisposeAsync();
        }
    }

    private sealed class Reader(WatchedLocation owner, IRangeReader inner) : IRangeReader
    {
        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int read = await inner.ReadAsync(destination, cancellationToken);
            Interlocked.Add(ref owner._bytesRead, read);
            return read;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
