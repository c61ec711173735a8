using System.Globalization;
using System.Text;
using TypedWeights.Manifests;

namespace TypedWeights.Generators.Naming;

/// <summary>What documentation comments say of tensors and names, as plain text.</summary>
internal static class TensorText
{
    private const int MostCharacters = 200;
    private const int MostPatterns = 3;
    private const int MostVariants = 4;

    /// <summary><c>BF16 [4096, 4096]</c>, and how the tensor is held where that is not how it looks.</summary>
    public static string Of(DType dtype, TensorShape shape)
    {
        string text = dtype.Name() + " " + shape;
        bool packs = dtype == DType.F4 && shape.Rank > 0 && shape[shape.Rank - 1] % 2 == 0;
        if (packs)
        {
            ulong[] held = [.. Enumerable.Range(0, shape.Rank).Select(axis => shape[axis])];
            held[held.Length - 1] /= 2;
            return $"{text}, two elements a byte: the tensor is {new TensorShape(held)}";
        }

        bool hasTorchType = dtype is not (DType.F4 or DType.F6E2M3 or DType.F6E3M2);
        return hasTorchType && FitsTorch(shape) ? text : text + ", held as bytes";
    }

    /// <summary>The dtypes and shapes of a property, the most telling ones if there are many.</summary>
    public static string Of(IReadOnlyList<(DType DType, TensorShape Shape)> variants) =>
        string.Join(" or ", variants.Take(MostVariants).Select(static variant => Of(variant.DType, variant.Shape)))
            + (variants.Count > MostVariants ? $" or one of {Number(variants.Count - MostVariants)} others" : "");

    /// <summary>Raw names, drawn together where they differ in numbers only.</summary>
    public static string Names(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        NamePattern[] patterns = [.. NamePattern.Factor(names, Printable, cancellationToken)];
        string text = string.Join(", ", patterns.Take(MostPatterns).Select(static pattern => Shortened(pattern.ToString())));
        int others = patterns.Skip(MostPatterns).Sum(static pattern => pattern.Count);
        return others > 0 ? $"{text} and {Number(others)} more" : text;
    }

    /// <summary>A name kept to a length that a tooltip takes.</summary>
    public static string Shortened(string text)
    {
        if (text.Length <= MostCharacters)
        {
            return text;
        }

        int end = char.IsHighSurrogate(text[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters;
        return text.Substring(0, end) + "…";
    }

    /// <summary>Text in which nothing is invisible, turns the reading direction, or ends a line.</summary>
    public static string Printable(string text)
    {
        StringBuilder? printable = null;
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = char.IsSurrogatePair(text, i);

            // What no message shows, and what a pattern or a comment would read as something else.
            bool plain = !Errors.Printable.MustEscape(text, i)
                && text[i] is not ('\\' or '{' or '}') && CharUnicodeInfo.GetUnicodeCategory(text, i) != UnicodeCategory.NonSpacingMark;
            if (plain)
            {
                printable?.Append(text, i, pair ? 2 : 1);
            }
            else
            {
                printable ??= new StringBuilder(text, 0, i, text.Length + 16);
                int code = pair ? char.ConvertToUtf32(text, i) : text[i];
                if (text[i] is '\\' or '{' or '}')
                {
                    printable.Append('\\').Append(text[i]);
                }
                else
                {
                    printable.Append("\\u{").Append(code.ToString("X", CultureInfo.InvariantCulture)).Append('}');
                }
            }

            i += pair ? 1 : 0;
        }

        return printable?.ToString() ?? text;
    }

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static bool FitsTorch(TensorShape shape)
    {
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            if (shape[axis] > long.MaxValue)
            {
                return false;
            }
        }

        return true;
    }
}
