using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using TypedWeights.Generators.Model;
using TypedWeights.Snapshots;

namespace TypedWeights.Generators.Parsing;

/// <summary>From an additional file to a snapshot, or to what is wrong with it and where.</summary>
internal static class SnapshotParser
{
    public const string Extension = ".weights.json";

    // The decoder of the compiler writes this in the place of a byte that it cannot read.
    private const char Replacement = '\uFFFD';

    public static bool IsSnapshot(AdditionalText file) => file.Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    public static SnapshotSpec Parse(AdditionalText file, CancellationToken cancellationToken)
    {
        SourceText? text = file.GetText(cancellationToken);
        if (text is null)
        {
            return new SnapshotSpec(file.Path, null, new SnapshotProblem("the file cannot be opened", 0, 0, 0));
        }

        string characters = text.ToString();
        byte[] utf8 = Encoding.UTF8.GetBytes(characters);
        if (!IsFile(text, utf8) && !IsFile(text, [.. Encoding.UTF8.GetPreamble(), .. utf8]))
        {
            return Unreadable(file.Path, text, SnapshotReader.NotUtf8, Math.Max(0, characters.IndexOf(Replacement)));
        }

        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return new SnapshotSpec(file.Path, new SnapshotContent(SnapshotReader.Read(utf8)), null);
        }
        catch (SnapshotFormatException e)
        {
            int offset = Math.Min(Encoding.UTF8.GetCharCount(utf8, 0, Math.Min(e.Position, utf8.Length)), text.Length);
            return Unreadable(file.Path, text, e.Message, offset);
        }
    }

    // The compiler also reads other encodings, and puts a replacement in the place of a byte that it cannot read. The tool does neither: it
    // has to find what the build found. The text's checksum is that of the file's bytes.
    private static bool IsFile(SourceText text, byte[] bytes) =>
        text.GetChecksum().SequenceEqual(SourceText.From(bytes, bytes.Length, Encoding.UTF8, text.ChecksumAlgorithm).GetChecksum());

    private static SnapshotSpec Unreadable(string path, SourceText text, string message, int offset)
    {
        LinePosition at = text.Lines.GetLinePosition(offset);
        return new SnapshotSpec(path, null, new SnapshotProblem(message, offset, at.Line, at.Character));
    }

    /// <summary>The place in the file, for the compiler.</summary>
    public static Location Location(SnapshotSpec snapshot, SnapshotProblem problem)
    {
        var at = new LinePosition(problem.Line, problem.Column);
        return Microsoft.CodeAnalysis.Location.Create(snapshot.Path, new TextSpan(problem.Offset, 0), new LinePositionSpan(at, at));
    }
}
