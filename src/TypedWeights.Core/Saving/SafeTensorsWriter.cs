using TypedWeights.Files;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>
/// Writes safetensors files as the reference does, byte for byte: tensors from the widest dtype to the narrowest, then by name, data
/// from a multiple of eight bytes on, no gaps.
/// </summary>
/// <remarks>
/// The file appears at once and whole: it is written to a file beside the target, flushed to the disk and renamed to the target. A reader that has
/// the old file open keeps the old bytes. A failure or cancellation leaves the old file as it was and nothing beside it; what a process that was
/// killed left beside it is removed by the next one that writes a file in the same folder. On Unix the new file
/// has the permissions of the old one if that belonged to this user or to root.
/// </remarks>
public static class SafeTensorsWriter
{
    private const int BufferSize = 1 << 20;

    /// <summary>Writes a file.</summary>
    /// <param name="path">
    /// The file; an existing one is replaced. If it is a symbolic link, the file that it leads to is replaced; the link itself only if it
    /// leads into a store that names files by their content, such as the cache of Hugging Face.
    /// </param>
    /// <param name="entries">The tensors, in any order; their bytes are produced one after another.</param>
    /// <param name="metadata">The <c>__metadata__</c>; none is written for null.</param>
    /// <param name="cancellationToken">Ends the writing; nothing is left behind.</param>
    /// <exception cref="ArgumentException">
    /// Two tensors share a name, a tensor or a metadata text is null, or the header would be longer than 100,000,000 bytes. Nothing has been
    /// written.
    /// </exception>
    /// <exception cref="WeightsException">The number of bytes of a tensor is not that of its dtype and shape.</exception>
    /// <exception cref="IOException">
    /// The disk is full, the file is larger than this process may write, the folder does not exist, or the file cannot be written for another reason.
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
        using var file = ReplacementFile.Create(target, mode: null, layout.Length, BufferSize);
        try
        {
            await WriteAsync(file.Stream, layout, cancellationToken).ConfigureAwait(false);
            await file.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (file.Named(e) is { } named)
        {
            throw named;
        }
    }

    private static async Task WriteAsync(Stream file, WriteLayout layout, CancellationToken cancellationToken)
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
    }
}
