using System.Globalization;

namespace TypedWeights.Errors;

/// <summary>Numbers at a glance: three figures, decimal units, as stores and model cards count.</summary>
internal static class ByteText
{
    private static readonly string[] Bytes = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    private static readonly string[] Values = ["", "K", "M", "B", "T", "Q", "Qi"];

    /// <summary>A size: <c>512 bytes</c>, <c>9.94 GB</c>, <c>350 GB</c>.</summary>
    public static string Of(long bytes) => Scale(bytes, Bytes);

    /// <summary>A speed: <c>412 kB/s</c>, <c>1.25 GB/s</c>.</summary>
    public static string OfRate(double bytesPerSecond) => Of((long)bytesPerSecond) + "/s";

    /// <summary>A number of elements as model cards write it: <c>7.24 B</c>.</summary>
    public static string OfValues(UInt128 count) => Scale((double)count, Values).TrimEnd();

    private static string Scale(double number, string[] units)
    {
        int unit = 0;
        while (unit < units.Length - 1 && number >= 999.5)
        {
            number /= 1000;
            unit++;
        }

        string format = unit == 0 || number >= 99.95 ? "F0" : number >= 9.995 ? "F1" : "F2";
        string figures = number.ToString(format, CultureInfo.InvariantCulture);
        return figures + " " + (unit == 0 && number == 1 ? units[0].TrimEnd('s') : units[unit]);
    }
}
