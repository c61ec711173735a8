using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Downloads;

/// <summary>Finds out what an earlier download left in a partial file, or makes it ready for a new one.</summary>
internal static class PartRecovery
{
    /// <param name="file">The partial file, locked.</param>
    /// <param name="journalPath">Its journal, where there is one.</param>
    /// <param name="identity">What is going to be written.</param>
    /// <param name="mode">The permissions of the file that it will stand in for (<see cref="TypedWeights.Files.TargetFile.ModeOf"/>).</param>
    /// <param name="isThisUsers">Whether a journal of another user counts as none, in a folder that others may write to.</param>
    /// <param name="keepsOthersOut">Whether a journal that is made may be written to by its owner alone.</param>
    /// <param name="verified">Is told of bytes as they are held against their hashes; null where each part is to be checked when it is used.</param>
    /// <param name="cancellationToken">Ends that; everything stays as it was.</param>
    public static async ValueTask<Result> RunAsync(
        SafeFileHandle file,
        string journalPath,
        SourceIdentity identity,
        UnixFileMode? mode,
        bool isThisUsers,
        bool keepsOthersOut,
        Action<long>? verified,
        CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(file);
        if (length == 0)
        {
            return new Result(Begin(file, journalPath, identity, mode, isThisUsers, keepsOthersOut), new PartMap(), null);
        }

        PartNotes noted = PartJournal.Read(journalPath, cancellationToken, isThisUsers);
        string? refused = identity.Refuse(noted.Identity) ?? (length == identity.Length ? null : "it has another length than it was given");
        if (refused is not null)
        {
            return new Result(Begin(file, journalPath, identity, mode, isThisUsers, keepsOthersOut), new PartMap(), refused);
        }

        var map = PartMap.OfNotes(noted.Parts);
        if (verified is not null)
        {
            await PartCheck.RunAsync(
                (memory, at, token) => RandomAccess.ReadAsync(file, memory, at, token), map, verified, cancellationToken).ConfigureAwait(false);
        }

        return new Result(PartJournal.Append(journalPath, noted.Length, isThisUsers), map, null);
    }

    private static PartJournal Begin(
        SafeFileHandle file, string journalPath, SourceIdentity identity, UnixFileMode? mode, bool isThisUsers, bool keepsOthersOut)
    {
        // Without the bytes of another file, and sparse where the file system can: the room is taken as parts come.
        RandomAccess.SetLength(file, 0);
        if (mode is not null && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, mode.Value | UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var journal = PartJournal.Create(journalPath, identity, isThisUsers, keepsOthersOut);
        try
        {
            RandomAccess.SetLength(file, identity.Length);
            return journal;
        }
        catch (Exception e)
        {
            journal.Dispose();
            if (e is not ArgumentOutOfRangeException)
            {
                throw;
            }

            // What .NET makes of EFBIG: FAT holds 4 GiB, ext4 16 TiB, and a server may claim any length.
            throw new IOException($"The file system holds no file of {identity.Length} bytes.", e);
        }
    }

    /// <param name="Journal">Open for more.</param>
    /// <param name="Parts">What is there.</param>
    /// <param name="StartedOver">Why what was there is gone, as the end of a sentence; null where there was nothing, or it is used.</param>
    internal readonly record struct Result(PartJournal Journal, PartMap Parts, string? StartedOver);
}
