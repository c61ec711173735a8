using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>A file, or a shard index, breaks a rule of the format.</summary>
public sealed class SafeTensorsFormatException : WeightsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="kind">Which rule.</param>
    /// <param name="file">The file as it may be shown.</param>
    /// <param name="message">What was expected, what was found, and what to do; the file is put before it.</param>
    /// <param name="position">The byte of the file at which reading stopped, if there is one.</param>
    public SafeTensorsFormatException(SafeTensorsErrorKind kind, string file, string message, long? position = null)
        : base($"{Printable.Line(file)}: {Printable.Line(message)} ({kind}{(position is null ? "" : $" at byte {position}")})")
    {
        Said = message;
        Kind = kind;
        File = file;
        Position = position;
    }

    /// <summary>Which rule was broken, by the reference's name.</summary>
    public SafeTensorsErrorKind Kind { get; }

    /// <summary>The file as it may be shown.</summary>
    public string File { get; }

    /// <summary>The message without file, kind and position.</summary>
    internal string Said { get; }

    /// <summary>The byte of the file at which reading stopped, counted from 0; null if the error concerns the whole file.</summary>
    public long? Position { get; }
}
