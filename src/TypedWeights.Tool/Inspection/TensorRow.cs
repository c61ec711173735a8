using System.Globalization;
using TypedWeights.Manifests;

namespace TypedWeights.Tool.Inspection;

/// <summary>Tensors of one dtype and shape whose names differ in their numbers only.</summary>
/// <param name="Pattern">Their names.</param>
/// <param name="DType">Their dtype.</param>
/// <param name="Shape">Their shape.</param>
/// <param name="ByteLength">The bytes of each.</param>
internal sealed record TensorRow(NamePattern Pattern, DType DType, TensorShape Shape, long ByteLength)
{
    // Bounds the memory of the rows, and the length of the page.
    private const int MostRows = 2_000;

    /// <summary>The names as text: <c>model.layers.{0..31}.mlp.up_proj.weight</c>.</summary>
    public string Name { get; } = Pattern.ToString();

    /// <summary>The bytes of all of them.</summary>
    public long TotalLength => ByteLength * Pattern.Count;

    /// <summary>The text before the first number (<c>model.layers.</c>); null for a name without a number.</summary>
    public string? ListPrefix => Pattern.Numbers.Length == 0
        ? null
        : Pattern.Skeleton[..Pattern.Skeleton.IndexOf("{}", StringComparison.Ordinal)];

    /// <summary>The numbers in the first place, such as those of layers.</summary>
    public int[] ListNumbers => Pattern.Numbers[0];

    /// <summary>The numbers in the first place as text: <c>{0..31}</c>.</summary>
    public string ListText => Braced(ListNumbers);

    /// <summary>The name after the first number: <c>.mlp.up_proj.weight</c>.</summary>
    public string WithinElement => Name[(ListPrefix!.Length + ListText.Length)..];

    /// <summary>The rows of a checkpoint in natural order: <c>layers.2</c> before <c>layers.10</c>.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="leftOut">How many tensors have no row, because there are too many kinds of names.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static IReadOnlyList<TensorRow> Of(IEnumerable<TensorInfo> tensors, out int leftOut, CancellationToken cancellationToken)
    {
        int count = 0;
        var kinds = new HashSet<int>();
        bool IsShown(TensorInfo tensor)
        {
            count++;
            int kind = HashCode.Combine(NamePattern.SkeletonOf(tensor.Name, Escape), tensor.DType, tensor.Shape);
            return kinds.Contains(kind) || (kinds.Count < MostRows && kinds.Add(kind));
        }

        // Names of one kind become as many rows as they have patterns, and that can be as many as there are names.
        List<TensorRow> rows =
        [
            .. tensors.Where(IsShown).GroupBy(tensor => (tensor.DType, tensor.Shape)).SelectMany(kind => NamePattern
                .Factor(kind.Select(tensor => tensor.Name), Escape, cancellationToken)
                .Select(pattern => new TensorRow(pattern, kind.Key.DType, kind.Key.Shape, kind.First().ByteLength)))
                .Take(MostRows),
        ];
        leftOut = count - rows.Sum(row => row.Pattern.Count);
        return [.. rows.OrderBy(row => PatternExpansion.Names(row.Name).First(), NaturalOrder.Instance)];
    }

    /// <summary>Numbers as they are written in a pattern: <c>{0..4,60}</c>, or the only one.</summary>
    public static string Braced(int[] numbers) =>
        numbers.Length == 1 ? numbers[0].ToString(CultureInfo.InvariantCulture) : "{" + NumberRuns.Text(numbers, ',') + "}";

    // A brace in a name must not look like the braces of numbers, nor a backslash like one that escapes a brace.
    private static string Escape(string segment) => segment
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("{", "\\{", StringComparison.Ordinal)
        .Replace("}", "\\}", StringComparison.Ordinal);
}
