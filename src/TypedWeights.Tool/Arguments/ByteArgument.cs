using System.CommandLine;
using System.Globalization;

namespace TypedWeights.Tool.Arguments;

/// <summary>Sizes on a command line: bytes, or a number with a unit, such as <c>8MiB</c> or <c>1.5 GB</c>.</summary>
internal static class ByteArgument
{
    // Both kinds are in use and differ by 7 % at a gigabyte, so a bare K, M or G is refused rather than guessed.
    private static readonly (string Name, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("B", 1), ("", 1),
    ];

    /// <summary>An option that takes a size.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help page.</param>
    /// <param name="least">The smallest size that makes sense.</param>
    /// <param name="most">The largest.</param>
    public static Option<long?> Option(string name, string description, long least, long most) => new(name)
    {
        Description = description,
        HelpName = "BYTES",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (!TryParse(text, out long bytes))
            {
                result.AddError($"{name}: \"{ArgumentText.Shown(text)}\" is not a size; write bytes, or a unit as in 64KiB, 8MiB, 1GB.");
                return null;
            }

            if (bytes < least || bytes > most)
            {
                result.AddError($"{name} must be from {least} to {most} bytes; {bytes} were given.");
                return null;
            }

            return bytes;
        },
    };

    /// <summary>Reads a size. The case of the unit does not matter; a fraction must come to whole bytes.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        (string Name, long Bytes) unit = Units.First(unit => text.EndsWith(unit.Name, StringComparison.OrdinalIgnoreCase));
        ReadOnlySpan<char> number = text.AsSpan(0, text.Length - unit.Name.Length).TrimEnd(' ');
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count)
            || count > long.MaxValue / unit.Bytes
            || !decimal.IsInteger(count * unit.Bytes))
        {
            return false;
        }

        bytes = (long)(count * unit.Bytes);
        return true;
    }
}
