using System.Text;
using TypedWeights.Files;

namespace TypedWeights.Tool.Running;

/// <summary>
/// Standard error as the tool writes it: what cannot be written is lost. A full disk under a log, or nobody who listens, ends neither a
/// download nor changes what the process returns.
/// </summary>
/// <remarks>Only what writes at once is here: <see cref="Console.SetError"/> comes with a lock, and with no writing in the background.</remarks>
internal sealed class LossyWriter(TextWriter writer) : TextWriter(writer.FormatProvider)
{
    public override Encoding Encoding => writer.Encoding;

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        try
        {
            writer.Write(buffer);
        }
        catch (Exception e) when (IsFailure(e))
        {
        }
    }

    // In one piece, so that nothing of another process comes between a line and its end.
    public override void WriteLine(string? value) => Write(value + Environment.NewLine);

    public override void Flush()
    {
        try
        {
            writer.Flush();
        }
        catch (Exception e) when (IsFailure(e))
        {
        }
    }

    /// <summary>Whether an exception is a stream's that cannot be written, and not that of a part of the program that cannot be loaded.</summary>
    public static bool IsFailure(Exception e) =>
        e is IOException and not (FileNotFoundException or FileLoadException) || IsClosed(e) || FileSizeLimit.IsBeyond(e);

    /// <summary>Whether it is that of a stream that is closed (EBADF), which .NET takes for a path that is denied.</summary>
    public static bool IsClosed(Exception e) => e is UnauthorizedAccessException { InnerException: not IOException { HResult: not 9 } };
}
