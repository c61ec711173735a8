using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>One version of one file, as the folder has it.</summary>
/// <param name="Target">The path of the file when it is whole, in full.</param>
/// <param name="IsWhole">Whether it has that name; else it is partial.</param>
/// <param name="Identity">Where it came from; null where the journal does not say.</param>
/// <param name="Bytes">Bytes of it that are there.</param>
/// <param name="LastUse">When it was last used or written.</param>
internal sealed record CachedItem(string Target, bool IsWhole, SourceIdentity? Identity, long Bytes, DateTime LastUse)
{
    /// <summary>Why its journal could not be read, as a sentence without its full stop; null where it could.</summary>
    public string? Unread { get; private init; }

    /// <summary>The file's bytes.</summary>
    public string DataPath => IsWhole ? Target : Target + PartialFile.Suffix;

    /// <summary>Its parts and their hashes.</summary>
    public string JournalPath => IsWhole ? PartialFile.JournalOf(Target) : Target + PartialFile.JournalSuffix;

    /// <summary>Reads what is at a path.</summary>
    /// <param name="target">The path of the file when it is whole, in full.</param>
    /// <param name="isWhole">Whether the whole file is looked for; else the partial one.</param>
    /// <param name="cancellationToken">Ends the reading of its journal.</param>
    /// <returns>null where there is nothing.</returns>
    public static CachedItem? At(string target, bool isWhole, CancellationToken cancellationToken)
    {
        var item = new CachedItem(target, isWhole, null, 0, default);
        var data = new FileInfo(item.DataPath);
        if (!data.Exists)
        {
            return null;
        }

        PartNotes notes = PartNotes.None;
        string? unread = null;
        try
        {
            notes = PartJournal.Read(item.JournalPath, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            // Another user's, perhaps. What it takes on the disk is known all the same.
            unread = Denial.OfRead(item.JournalPath, item.JournalPath) ?? $"{item.JournalPath} cannot be read: {e.Message.TrimEnd('.')}";
        }

        var journal = new FileInfo(item.JournalPath);
        return item with
        {
            Identity = notes.Identity,
            Unread = unread,

            // A partial file has its whole length from the start and takes room as parts come.
            // A journal may claim more than there is.
            Bytes = isWhole ? data.Length : Math.Min(data.Length, PartMap.OfNotes(notes.Parts).Total),
            LastUse = journal.Exists ? journal.LastWriteTimeUtc : data.LastWriteTimeUtc,
        };
    }
}
