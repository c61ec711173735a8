using System.Globalization;

namespace TypedWeights.Bench.Figures;

/// <summary>Formats numbers in the invariant culture.</summary>
internal static class Text
{
    /// <summary>About three significant digits: 1234, 12.3, 1.23, 0.012.</summary>
    public static string Of(double value) => value.ToString(
        Math.Abs(value) switch { >= 100 => "F0", >= 10 => "0.#", >= 0.1 => "0.##", _ => "G2" }, CultureInfo.InvariantCulture);

    public static string Of(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
