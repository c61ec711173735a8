using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TypedWeights.Architecture.Tests;

/// <summary>
/// Every text of the sources that a user can read: errors, diagnostics, notes in logs, the tool's help. A text is any string with at least
/// two words; its placeholders are shown as they are in the code.
/// </summary>
internal static partial class MessageCatalogue
{
    // Code that the generator writes has verified files of its own.
    private static readonly string[] Excluded = ["generators/TypedWeights.Generators/Emit/"];

    /// <summary>The texts under their project and type, both in alphabetical order; the texts of a type in the order of the code.</summary>
    public static string Of(IEnumerable<(string Path, string Text)> files)
    {
        var texts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach ((string path, string text) in files.Where(static file => !Excluded.Any(file.Path.StartsWith)))
        {
            SyntaxNode root = CSharpSyntaxTree.ParseText(text, cancellationToken: TestContext.Current.CancellationToken).GetRoot();
            foreach (ExpressionSyntax message in root.DescendantNodes(static node => !IsText(node)).OfType<ExpressionSyntax>().Where(IsText))
            {
                string shown = Show(message);
                if (TwoWords().IsMatch(shown) && !message.Ancestors().Any(static node => node is AttributeSyntax))
                {
                    string type = message.Ancestors().OfType<BaseTypeDeclarationSyntax>().LastOrDefault()?.Identifier.Text ?? "Program";
                    string key = $"{path.Split('/')[1]} / {type}";
                    if (!texts.TryGetValue(key, out List<string>? ofType))
                    {
                        texts.Add(key, ofType = []);
                    }

                    ofType.Add(shown);
                }
            }
        }

        return string.Join("\n", texts.Select(static type => $"{type.Key}\n{string.Concat(type.Value.Distinct().Select(Line))}"));
    }

    private static string Line(string text) => $"    {text.ReplaceLineEndings("\n    ")}\n";

    private static bool IsText(SyntaxNode node) => node switch
    {
        InterpolatedStringExpressionSyntax => true,
        LiteralExpressionSyntax literal => literal.IsKind(SyntaxKind.StringLiteralExpression),
        BinaryExpressionSyntax sum => sum.IsKind(SyntaxKind.AddExpression) && (IsText(sum.Left) || IsText(sum.Right)),
        _ => false,
    };

    private static string Show(ExpressionSyntax expression) => expression switch
    {
        BinaryExpressionSyntax sum when IsText(sum) => Show(sum.Left) + Show(sum.Right),
        LiteralExpressionSyntax literal when IsText(literal) => literal.Token.ValueText,
        InterpolatedStringExpressionSyntax interpolated => string.Concat(interpolated.Contents.Select(Show)),
        _ => $"{{{Flat(expression)}}}",
    };

    private static string Show(InterpolatedStringContentSyntax content) => content is InterpolatedStringTextSyntax text
        ? text.TextToken.ValueText
        : $"{{{Flat(((InterpolationSyntax)content).Expression)}{((InterpolationSyntax)content).FormatClause}}}";

    // On one line, however the code breaks it.
    private static string Flat(SyntaxNode node) => Spaces().Replace(node.ToString(), " ");

    [GeneratedRegex(@"\p{L}{2,}[,:;]? (\p{L}{2,}|\{)|\} \p{L}{2,}")]
    private static partial Regex TwoWords();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
