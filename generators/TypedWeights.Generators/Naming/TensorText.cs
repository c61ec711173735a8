using System.Globalization;
using TypedWeights.Manifests;

namespace TypedWeights.Generators.Naming;

/// <summary>The text of documentation comments about tensors and names.</summary>
internal static class TensorText
{
    private const int MostCharacters = 200;
    private const int MostPatterns = 3;
    private const int MostVariants = 4;

    /// <summary><c>BF16 [4096, 4096]</c>, and how torch holds the tensor if that differs.</summary>
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
        bool fitsTorch = Enumerable.Range(0, shape.Rank).All(axis => shape[axis] <= long.MaxValue);
        return hasTorchType && fitsTorch ? text : text + ", held as bytes";
    }

    /// <summary>The dtypes and shapes of a property, the most telling ones if there are many.</summary>
    public static string Of(IReadOnlyList<(DType DType, TensorShape Shape)> variants) =>
        string.Join(" or ", variants.Take(MostVariants).Select(static variant => Of(variant.DType, variant.Shape)))
            + (variants.Count > MostVariants ? $" or one of {Number(variants.Count - MostVariants)} others" : "");

    /// <summary>Raw names; names that differ only in their numbers as one pattern.</summary>
    public static string Names(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        NamePattern[] patterns = [.. NamePattern.Factor(names, Printable, cancellationToken)];
        string text = string.Join(", ", patterns.Take(MostPatterns).Select(static pattern => Shortened(pattern.ToString())));
        int others = patterns.Skip(MostPatterns).Sum(static pattern => pattern.Count);
        return others > 0 ? $"{text} and {Number(others)} more" : text;
    }

    /// <summary>A name, shortened to a length that fits into a tooltip.</summary>
    public static string Shortened(string text)
    {
        if (text.Length <= MostCharacters)
        {
            return text;
        }

        int end = char.IsHighSurrogate(text[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters;
        return text.Substring(0, end) + "…";
    }

    /// <summary>Text in which nothing is invisible, and nothing looks like an escape or a place of a pattern.</summary>
    public static string Printable(string text) => Errors.Printable.Escape(
        text.Replace("\\", "\\\\").Replace("{", "\\{").Replace("}", "\\}"), escapesMarks: true);

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
