using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;
using TypedWeights.Files;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Commands;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool;

/// <summary>The one entry of the tool, for the process and for tests.</summary>
internal static class ToolProgram
{
    private const string Name = "typedweights";

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>. No exception leaves it; only a defect shows its stack trace.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, ToolContext context, CancellationToken cancellationToken)
    {
        // Before anything else, because each library that is loaded takes two files.
        if (OpenFileLimit.TooLow is { } tooLow)
        {
            await context.WriteErrorAsync(tooLow + ".");
            return ExitCodes.Failed;
        }

        try
        {
            return await InvokeAsync(args, context, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await context.Error.WriteLineAsync("interrupted");
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (ToolException.From(e) is { } failure)
        {
            await context.WriteErrorAsync(failure.Message);
            return failure.ExitCode;
        }
        catch (Exception e) when (LossyWriter.IsFailure(e))
        {
            // Failed reads have other exceptions; this is a failed write of the output: a full disk, or a closed stream.
            string reason = FileSizeLimit.IsBeyond(e)
                ? FileSizeLimit.Describe(e, "standard output")
                : LossyWriter.IsClosed(e) ? "standard output is closed" : e.Message;
            await context.WriteErrorAsync($"the output cannot be written: {reason}");
            return ExitCodes.Failed;
        }
        catch (UnauthorizedAccessException e)
        {
            // The message names the file.
            await context.WriteErrorAsync(e.Message);
            return ExitCodes.Failed;
        }
        catch (Exception e)
        {
            await context.WriteErrorAsync($"a defect of {Name}, please report it: {e.GetType().Name}: {e.Message}");
            await context.Error.WriteLineAsync(e.StackTrace);
            return ExitCodes.Defect;
        }
    }

    private static async Task<int> InvokeAsync(IReadOnlyList<string> args, ToolContext context, CancellationToken cancellationToken)
    {
        // A path may start with '@' or contain -h, so response files and bundled options are off.
        var parserConfiguration = new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        Command root = CreateRoot(context);
        if (Suggestion.TryComplete(root, args, context.Out))
        {
            return ExitCodes.Success;
        }

        ParseResult parsed = root.Parse(ArgumentText.WithPathsBehindDashes(args), parserConfiguration);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
        {
            foreach (string message in parsed.Errors.Select(error => WithSuggestion(error.Message, parsed)).Distinct())
            {
                // The parser repeats the words that it does not understand, and one may be a URL with a password.
                string shown = args.Where(word => word.Contains("://", StringComparison.Ordinal))
                    .Aggregate(message, (text, word) => text.Replace(word, ArgumentText.Shown(word), StringComparison.Ordinal));
                await context.WriteErrorAsync(shown);
            }

            await context.Error.WriteLineAsync($"try: {FullName(parsed.CommandResult)} --help");
            return ExitCodes.Usage;
        }

        var invocation = new InvocationConfiguration
        {
            Output = context.Out,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(invocation, cancellationToken);
    }

    // Not a RootCommand, which takes its name from the process: dotnet or a test runner.
    private static Command CreateRoot(ToolContext context)
    {
        var root = new Command(
            Name,
            "Takes and checks the header snapshots from which TypedWeights generates classes; shows, plans, downloads and measures checkpoints.")
        {
            SnapshotCommand.Create(context),
            VerifyCommand.Create(context),
            InspectCommand.Create(context),
            PlanCommand.Create(context),
            DownloadCommand.Create(context),
            BenchCommand.Create(context),
            CacheCommand.Create(context),
            new HelpOption(),
            new VersionOption { Action = new VersionAction() },
        };
        root.SetAction(new HelpAction().Invoke);
        return root;
    }

    // "Unrecognized command or argument 'insepct'; did you mean inspect?"
    private static string WithSuggestion(string message, ParseResult parsed)
    {
        string? word = parsed.UnmatchedTokens.FirstOrDefault(token => message.Contains($"'{token}'", StringComparison.Ordinal));
        string? meant = word is null ? null : Suggestion.For(word, parsed.CommandResult);
        string? advice = meant is null ? null
            : meant != word ? $"did you mean {meant}?"
            : word.StartsWith('-') ? $"write an option after its command: {FullName(parsed.CommandResult)} {word}"
            : "write the command before '--'; only paths and URIs follow it";
        return advice is null ? message : $"{message.TrimEnd('.')}; {advice}";
    }

    // "typedweights cache prune"
    private static string FullName(CommandResult result) =>
        (result.Parent is CommandResult outer ? FullName(outer) + " " : "") + result.Command.Name;

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            string version = typeof(ToolProgram).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            parseResult.InvocationConfiguration.Output.WriteLine($"{Name} {version.Split('+')[0]}");
            return ExitCodes.Success;
        }
    }
}
