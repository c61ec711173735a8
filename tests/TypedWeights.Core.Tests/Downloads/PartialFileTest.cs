using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

/// <summary>A folder for a download of five parts.</summary>
public abstract class PartialFileTest : IDisposable
{
    private protected const int Part = 1000;

    private protected static SourceIdentity Identity { get; } = new("http://host/a", 5 * Part, "\"1\"");

    private protected static byte[] Bytes { get; } = TestFile.Noise("a", "U8", 8, 5 * Part).Data;

    private protected TempFolder Folder { get; } = new();

    private protected string Target => Folder["a"];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ValueTask<PartialFile> OpenAsync() => PartialFile.OpenAsync(Target, Identity, _ => { }, Token);

    private protected static ValueTask WriteAsync(PartialFile file, int part) =>
        file.WriteAsync(part * Part, Bytes.AsMemory(part * Part, Part), Token);

    private protected async Task LeaveAsync(params int[] parts)
    {
        await using PartialFile file = await OpenAsync();
        foreach (int part in parts)
        {
            await WriteAsync(file, part);
        }
    }

    private protected static async Task FinishAsync(PartialFile file, params int[] parts)
    {
        foreach (int part in parts)
        {
            await WriteAsync(file, part);
        }

        await file.FlushAsync(Token);
        file.Publish();
    }
}
