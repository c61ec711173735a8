using TypedWeights.Files;
using TypedWeights.Format;

namespace TypedWeights;

/// <summary>
/// Writes safetensors files as the reference does, byte for byte: tensors from the widest dtype to the narrowest, then by name, data
/// from a multiple of eight bytes on, no gaps.
/// </summary>
/// <remarks>
/// The file appears at once and whole: it is written beside the target, flushed to the disk and renamed over it. A reader that has the
/// old file open keeps the old bytes. A failure or cancellation leaves the old file as it was and nothing beside it.
/// </remarks>
public static class SafeTensorsWriter
{
    private const int BufferSize = 1 << 20;

    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; what is there is replaced. Where it is a symbolic link, the file it leads to is.</param>
    /// <param name="entries">The tensors, in any order; their bytes are asked for one after another.</param>
    /// <param name="metadata">The <c>__metadata__</c>; none is written for null.</param>
    /// <param name="cancellationToken">Ends the writing; nothing is left behind.</param>
    /// <exception cref="ArgumentException">
    /// Two tensors share a name, or the header would be longer than 100,000,000 bytes. Nothing has been written.
    /// </exception>
    /// <exception cref="WeightsException">A tensor's bytes are more or fewer than its dtype and shape ask for.</exception>
    /// <exception cref="IOException">
    /// The disk is full, the folder does not exist, or the file cannot be written for another reason.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static async Task WriteAsync(
        string path,
        IEnumerable<SafeTensorsEntry> entries,
        IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WriteLayout layout = WriteLayout.Create(entries, metadata);
        string target = TargetFile.Of(path);
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():N}.safetensors.tmp");
        try
        {
            await WriteFileAsync(temporary, TargetFile.ModeOf(target), layout, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e)
        {
            // Where this user may not look, deleting what could not be made would fail too, and hide why.
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            if (e is UnauthorizedAccessException && Denial.OfWrite(target) is { } denied)
            {
                // The system names the temporary file, which nobody has heard of.
                throw new UnauthorizedAccessException($"{path}: {denied}.", e);
            }

            throw;
        }
    }

    private static async Task WriteFileAsync(string path, UnixFileMode? mode, WriteLayout layout, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = BufferSize,

            // A full disk is known before the first byte and not after the last.
            PreallocationSize = layout.Length,
        };
        if (mode is not null && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(layout.Start, cancellationToken).ConfigureAwait(false);
            foreach (SafeTensorsEntry entry in layout.Entries)
            {
                var stream = new EntryStream(file, entry, cancellationToken);
                await using (stream.ConfigureAwait(false))
                {
                    await entry.Write(stream, cancellationToken).ConfigureAwait(false);
                    stream.ThrowUnlessComplete();
                }
            }

            // Renaming a file whose bytes are not yet on the disk could leave an empty one after a power failure.
            await file.FlushAsync(cancellationToken).ConfigureAwait(false);
            await DiskFlush.RunAsync(file.SafeFileHandle, cancellationToken).ConfigureAwait(false);
        }
    }
}
