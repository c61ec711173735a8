using System.CommandLine;
using System.CommandLine.Parsing;
using TypedWeights.Sources;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Arguments;

/// <summary>Words of a command line: how they may be shown, and checks that the parser does not make.</summary>
internal static class ArgumentText
{
    /// <summary>A word as it may be printed: a URI in it, wherever it was typed, without user info, signature and token.</summary>
    public static string Shown(string word)
    {
        int colon = word.IndexOf("://", StringComparison.Ordinal);
        if (colon < 0)
        {
            return word;
        }

        int start = colon;
        while (start > 0 && (char.IsAsciiLetterOrDigit(word[start - 1]) || word[start - 1] is '+' or '.'))
        {
            start--;
        }

        string uri = WeightUri.TryParse(word[start..], out WeightUri? parsed, out _) ? parsed.Display : word[start..colon] + "://…";
        return word[..start] + uri;
    }

    /// <summary>Words after <c>--</c> are not options: one that starts with a dash is the path that it would be with <c>./</c>.</summary>
    public static IReadOnlyList<string> WithPathsBehindDashes(IReadOnlyList<string> args)
    {
        int dashes = args.ToList().IndexOf("--");
        return dashes < 0 ? args : [.. args.Select((word, index) => index > dashes && word.StartsWith('-') ? "./" + word : word)];
    }

    /// <summary>Rejects a mistyped option, which would otherwise be taken for the name of a file.</summary>
    public static T WithoutOptions<T>(this T argument)
        where T : Argument
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith('-')) is { } token)
            {
                string near = Suggestion.For(token.Value, result.Parent as CommandResult) is { } meant ? $"did you mean {meant}? Write" : "write";
                result.AddError($"Unknown option {token.Value}; {near} a path that starts with '-' as ./{token.Value}");
            }
        });
        return argument;
    }

    /// <summary>Rejects an empty word, such as the value of a variable that is not set: as a path it would be the current folder.</summary>
    public static Argument<T> NotEmpty<T>(this Argument<T> argument)
    {
        argument.Validators.Add(result => RejectEmpty(result, argument.Name));
        return argument;
    }

    /// <inheritdoc cref="NotEmpty{T}(Argument{T})"/>
    public static Option<T> NotEmpty<T>(this Option<T> option)
    {
        option.Validators.Add(result => RejectEmpty(result, option.Name));
        return option;
    }

    /// <summary>Rejects a URI where a file on disk is expected.</summary>
    /// <param name="word">The word.</param>
    /// <param name="meant">What the word should be.</param>
    /// <exception cref="ToolException">The word contains a URI.</exception>
    public static string OnDisk(string word, string meant = "a snapshot is a file") => word.Contains("://", StringComparison.Ordinal)
        ? throw new ToolException(ExitCodes.Usage, $"{Shown(word)}: {meant} on disk, but this is a URI.")
        : word;

    private static void RejectEmpty(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => token.Value.Length == 0))
        {
            result.AddError($"{name} is empty; write '.' for the current folder.");
        }
    }
}
