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

    public static bool IsSnapshot(AdditionalText file) => file.Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    public static SnapshotSpec Parse(AdditionalText file, CancellationToken cancellationToken)
    {
        SourceText? text = file.GetText(cancellationToken);
        if (text is null)
        {
            return new SnapshotSpec(file.Path, null, new SnapshotProblem("the file cannot be opened", 0, 0, 0));
        }

        // The compiler reads other encodings too, the tool does not: a snapshot that only one of them takes would be in step for nobody.
        if (text.Encoding is { } encoding && encoding.CodePage != Encoding.UTF8.CodePage && !IsAscii(text, encoding))
        {
            return new SnapshotSpec(file.Path, null, new SnapshotProblem(SnapshotReader.NotUtf8, 0, 0, 0));
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(text.ToString());
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return new SnapshotSpec(file.Path, new SnapshotContent(SnapshotReader.Read(utf8)), null);
        }
        catch (SnapshotFormatException e)
        {
            int offset = Math.Min(Encoding.UTF8.GetCharCount(utf8, 0, Math.Min(e.Position, utf8.Length)), text.Length);
            LinePosition at = text.Lines.GetLinePosition(offset);
            return new SnapshotSpec(file.Path, null, new SnapshotProblem(e.Message, offset, at.Line, at.Character));
        }
    }

    // The same bytes in UTF-8, whatever code page the project names for its sources.
    private static bool IsAscii(SourceText text, Encoding encoding) => encoding.IsSingleByte && text.ToString().All(static c => c < 128);

    /// <summary>The place in the file, for the compiler.</summary>
    public static Location Location(SnapshotSpec snapshot, SnapshotProblem problem)
    {
        var at = new LinePosition(problem.Line, problem.Column);
        return Microsoft.CodeAnalysis.Location.Create(snapshot.Path, new TextSpan(problem.Offset, 0), new LinePositionSpan(at, at));
    }
}
