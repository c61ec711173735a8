using System.CommandLine;
using System.CommandLine.Parsing;

namespace TypedWeights.Tool.Arguments;

/// <summary>Suggestions for a misspelled word, and completions of a command line.</summary>
internal static class Suggestion
{
    /// <summary>The command or option with the nearest name among those that are valid in the place of a word.</summary>
    /// <param name="word">The word as it was typed.</param>
    /// <param name="command">The command that the word follows.</param>
    /// <returns>null if no name is near.</returns>
    public static string? For(string word, CommandResult? command)
    {
        IEnumerable<string> names = word.StartsWith('-')
            ? Commands(command).SelectMany(static of => of.Options).SelectMany(static option => option.Aliases.Prepend(option.Name))
            : command?.Command.Subcommands.Select(static sub => sub.Name) ?? [];
        return NearName.Find(word.ToLowerInvariant(), names.Where(static name => name.Length > 2 || !name.StartsWith('-')));
    }

    /// <summary>
    /// Completes a line for a shell (<c>dotnet-suggest</c>): writes the words that are valid at a position, one on a line. System.CommandLine
    /// does this only for a root command that is named after the process, which this one is not.
    /// </summary>
    /// <param name="root">The tool's root.</param>
    /// <param name="args">The words of the process: <c>[suggest:POSITION]</c> and the line.</param>
    /// <param name="output">Where the words go.</param>
    /// <returns>False if the words are not such a request.</returns>
    public static bool TryComplete(Command root, IReadOnlyList<string> args, TextWriter output)
    {
        if (args is not [['[', .., ']'] directive, ..] || directive[1..^1].Split(':') is not ["suggest", .. { Length: <= 1 } given])
        {
            return false;
        }

        string line = args.Count > 1 ? args[^1] : "";
        int position = given is [{ } text] && int.TryParse(text, out int number) ? Math.Clamp(number, 0, line.Length) : line.Length;
        foreach (string word in root.Parse(line).GetCompletions(position).Select(static item => item.Label).Distinct())
        {
            output.WriteLine(word);
        }

        return true;
    }

    // Options of an outer command may be the inner one's too.
    private static IEnumerable<Command> Commands(CommandResult? command)
    {
        for (; command is not null; command = command.Parent as CommandResult)
        {
            yield return command.Command;
        }
    }
}
