using System.CommandLine;
using System.Globalization;

namespace TypedWeights.Tool.Arguments;

/// <summary>Sizes on a command line: bytes, or a number with a unit, such as <c>8MiB</c> or <c>1.5 GB</c>.</summary>
internal static class ByteArgument
{
    // Both kinds are in use and differ by 7 % at a gigabyte, so a bare K, M or G is rejected and not guessed.
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
                result.AddError($"{name} must be from {least} to {most} bytes, but is {bytes}.");
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

/// <summary>One of a few words on a command line. The parser's own check prints several lines; an error here is one line.</summary>
internal static class ChoiceArgument
{
    /// <summary>An option that takes one of the words.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help page.</param>
    /// <param name="words">What it may be; the first is the default.</param>
    public static Option<string> Option(string name, string description, params string[] words)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            DefaultValueFactory = _ => words[0],
        };
        option.CompletionSources.Add(words);
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !words.Contains(token.Value)) is { } token)
            {
                result.AddError($"{name} must be {string.Join(" or ", words)}, but is \"{ArgumentText.Shown(token.Value)}\".");
            }
        });
        return option;
    }
}

/// <summary>Whole numbers on a command line.</summary>
internal static class CountArgument
{
    /// <summary>An option that takes a number.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help page.</param>
    /// <param name="least">The smallest number that makes sense.</param>
    /// <param name="most">The largest.</param>
    public static Option<int?> Option(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= least && count <= most)
            {
                return count;
            }

            result.AddError($"{name} must be from {least} to {most}, but is \"{ArgumentText.Shown(text)}\".");
            return null;
        },
    };
}
