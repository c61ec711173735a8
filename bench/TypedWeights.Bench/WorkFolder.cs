namespace TypedWeights.Bench;

/// <summary>A folder for one run. It is deleted when the process ends, even if the process is interrupted.</summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly Lock _lock = new();

    public WorkFolder(string parent)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), $"typedweights-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(Path);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public string Path { get; }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Delete();
    }

    private void OnExit(object? sender, EventArgs e) => Delete();

    // When the process is interrupted, this can run twice at the same time: at the end of the process and at the end of the run.
    private void Delete()
    {
        lock (_lock)
        {
            if (Directory.Exists(Path))
            {
                Directory.Delete(Path, recursive: true);
            }
        }
    }
}
