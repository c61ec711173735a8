using TypedWeights.Caching;
using TypedWeights.Downloads;

namespace CacheProbe;

/// <summary>Has a copy in use.</summary>
internal static class HeldCopy
{
    public static int Run(string target)
    {
        using WholeCopy? copy = WholeCopy.TryOpen(
            target, PartJournal.Read(PartialFile.JournalOf(target), CancellationToken.None).Identity!, CancellationToken.None);
        Console.WriteLine(copy is null ? "absent" : "held");
        Console.ReadLine();
        return copy is null ? 1 : 0;
    }
}
