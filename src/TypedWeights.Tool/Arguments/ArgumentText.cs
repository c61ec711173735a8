using System.CommandLine;
using System.CommandLine.Parsing;
using TypedWeights.Sources;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Arguments;

/// <summary>Words of a command line: what of them may be shown, and what the parser would let through.</summary>
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

    /// <summary>Words behind <c>--</c> are no options: what begins with a dash there is the path that it would be with <c>./</c>.</summary>
    public static IReadOnlyList<string> WithPathsBehindDashes(IReadOnlyList<string> args)
    {
        int dashes = args.ToList().IndexOf("--");
        return dashes < 0 ? args : [.. args.Select((word, index) => index > dashes && word.StartsWith('-') ? "./" + word : word)];
    }

    /// <summary>Refuses a mistyped option, which would otherwise pass for the name of a file.</summary>
    public static T WithoutOptions<T>(this T argument)
        where T : Argument
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith('-')) is { } token)
            {
                string near = Suggestion.For(token.Value, result.Parent as CommandResult) is { } meant ? $"did you mean {meant}? A" : "a";
                result.AddError($"There is no option {token.Value}; {near} path that starts with '-' is written ./{token.Value}");
            }
        });
        return argument;
    }

    /// <summary>Refuses an empty word, as of a variable that is not set: for a path it would stand for the current folder.</summary>
    public static Argument<T> NotEmpty<T>(this Argument<T> argument)
    {
        argument.Validators.Add(result => RefuseEmpty(result, argument.Name));
        return argument;
    }

    /// <inheritdoc cref="NotEmpty{T}(Argument{T})"/>
    public static Option<T> NotEmpty<T>(this Option<T> option)
    {
        option.Validators.Add(result => RefuseEmpty(result, option.Name));
        return option;
    }

    /// <summary>Refuses a URI where a file on disk is meant.</summary>
    /// <param name="word">The word.</param>
    /// <param name="meant">What it should be.</param>
    /// <exception cref="ToolException">The word holds one.</exception>
    public static string OnDisk(string word, string meant = "a snapshot is a file") => word.Contains("://", StringComparison.Ordinal)
        ? throw new ToolException(ExitCodes.Usage, $"{Shown(word)}: {meant} on disk, and this is a URI.")
        : word;

    private static void RefuseEmpty(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => token.Value.Length == 0))
        {
            result.AddError($"{name} is empty; the current folder is '.'.");
        }
    }
}
