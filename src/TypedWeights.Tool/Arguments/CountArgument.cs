using System.CommandLine;
using System.Globalization;

namespace TypedWeights.Tool.Arguments;

/// <summary>Whole numbers on a command line.</summary>
internal static class CountArgument
{
    /// <summary>How many connections a command uses, from its start to its end.</summary>
    public static Option<int?> Connections() =>
        Option("--connections", "Read this many ranges at once, from the start to the end [default: as a load does]", 1, 1024);

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

            result.AddError($"{name} must be from {least} to {most}, and is \"{ArgumentText.Shown(text)}\".");
            return null;
        },
    };
}
