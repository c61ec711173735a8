using System.CommandLine;

namespace TypedWeights.Tool.Arguments;

/// <summary>One of a few words on a command line. The parser's own check answers in several lines; an error here is one.</summary>
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
                result.AddError($"{name} must be {string.Join(" or ", words)}, and is \"{ArgumentText.Shown(token.Value)}\".");
            }
        });
        return option;
    }
}
