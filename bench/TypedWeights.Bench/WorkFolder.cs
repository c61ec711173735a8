namespace TypedWeights.Bench;

/// <summary>A folder for one run. It goes with the process, also when that is interrupted.</summary>
internal sealed class WorkFolder : IDisposable
{
    public WorkFolder(string parent)
    {
        Path = Directory.CreateDirectory(System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), $"typedweights-bench-{Environment.ProcessId}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public string Path { get; }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Delete();
    }

    private void OnExit(object? sender, EventArgs e) => Delete();

    private void Delete()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
