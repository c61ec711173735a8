namespace TypedWeights.Files;

/// <summary>
/// Files that are open and that nobody is reading at the moment: a bounded number in the whole process, as a model may have more shards than
/// a process may have files open.
/// </summary>
internal sealed class OpenFiles
{
    // Enough for any usual model, and never more than a part of what the process may have open: sockets and others need some too.
    private const int Most = 256;
    private const int Least = 4;
    private const int PartOfLimit = 8;

    private readonly Lock _lock = new();
    private readonly LinkedList<ReopenableFile> _idle = new();
    private readonly int _most;

    /// <param name="most">How many may be open.</param>
    public OpenFiles(int most) => _most = most;

    /// <summary>Those of this process.</summary>
    public static OpenFiles OfProcess { get; } =
        new((int)Math.Clamp((ProcessLimits.OpenFiles ?? int.MaxValue) / PartOfLimit, Least, Most));

    /// <summary>How many are open and idle.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _idle.Count;
            }
        }
    }

    /// <summary>Somebody is going to read the file.</summary>
    public void Remove(ReopenableFile file)
    {
        lock (_lock)
        {
            if (file.Idle.List is not null)
            {
                _idle.Remove(file.Idle);
            }
        }
    }

    /// <summary>Nobody reads the file any more.</summary>
    public void Add(ReopenableFile file)
    {
        lock (_lock)
        {
            if (file.Idle.List is null)
            {
                _idle.AddLast(file.Idle);
            }
        }
    }

    /// <summary>Closes those that were not used for the longest time. Not to be called with a file locked.</summary>
    public void Trim() => Trim(_most);

    /// <summary>Closes all: the process has no more to give.</summary>
    /// <returns>Whether there were any.</returns>
    public bool CloseAll() => Trim(0);

    private bool Trim(int most)
    {
        bool closed = false;
        while (TakeOldest(most) is { } oldest)
        {
            oldest.CloseIfIdle();
            closed = true;
        }

        return closed;
    }

    private ReopenableFile? TakeOldest(int most)
    {
        lock (_lock)
        {
            if (_idle.Count <= most)
            {
                return null;
            }

            ReopenableFile oldest = _idle.First!.Value;
            _idle.RemoveFirst();
            return oldest;
        }
    }
}
