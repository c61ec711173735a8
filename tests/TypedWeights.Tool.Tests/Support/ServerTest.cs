namespace TypedWeights.Tests.Support;

/// <summary>A test with a folder and a server of its own.</summary>
public abstract class ServerTest : IAsyncLifetime
{
    private protected TempFolder Folder { get; } = new();

    private protected FileServer Server { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync() => Server = await FileServer.StartAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
