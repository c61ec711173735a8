using System.Text;
using TypedWeights.Files;

namespace TypedWeights.Tool.Running;

/// <summary>
/// Standard error as the tool writes it: text that cannot be written is lost. A full disk under a log, or a closed pipe, does not end a
/// download and does not change the exit code.
/// </summary>
/// <remarks>Only synchronous methods are here: <see cref="Console.SetError"/> adds a lock, and no asynchronous writing.</remarks>
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

    // In one call, so that another process cannot write between a line and its end.
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

    /// <summary>Whether an exception means that a stream cannot be written, and not that a part of the program cannot be loaded.</summary>
    public static bool IsFailure(Exception e) =>
        e is IOException and not (FileNotFoundException or FileLoadException) || IsClosed(e) || FileSizeLimit.IsBeyond(e);

    /// <summary>Whether an exception means that a stream is closed (EBADF), which .NET reports as a denied path.</summary>
    public static bool IsClosed(Exception e) => e is UnauthorizedAccessException { InnerException: not IOException { HResult: not 9 } };
}
