using TypedWeights.Caching;
using TypedWeights.Downloads;

namespace CacheProbe;

/// <summary>Has a copy in use.</summary>
internal static class HeldCopy
{
    public static async Task<int> RunAsync(string path)
    {
        SourceIdentity identity = PartJournal.Read(PartialFile.JournalOf(path), CancellationToken.None).Identity!;
        CacheCopy? copy = CacheCopy.TryOpenToRead(path, identity, CancellationToken.None);
        Console.WriteLine(copy is null ? "absent" : "held");
        Console.ReadLine();
        if (copy is null)
        {
            return 1;
        }

        await copy.DisposeAsync().ConfigureAwait(false);
        return 0;
    }
}
