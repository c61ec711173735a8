using System.CommandLine;
using System.CommandLine.Help;
using TypedWeights.Caching;
using TypedWeights.Files;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Caching;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Commands;

/// <summary><c>typedweights cache ls|verify|prune|clear [--folder DIR]</c>: what loads have kept on this machine.</summary>
internal static class CacheCommand
{
    private static readonly Option<string?> Folder = new Option<string?>("--folder")
    {
        Description = "The folder of the cache [default: the environment variable TYPEDWEIGHTS_CACHE]",
        HelpName = "DIR",
        Recursive = true,
    }.NotEmpty();

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one line of JSON for each file",
    };

    private static readonly Option<long?> Size = ByteArgument.Option("--size", "The maximum size of what stays", 0, long.MaxValue);

    public static Command Create(ToolContext context)
    {
        Size.Required = true;
        var command = new Command("cache", "Lists, checks and empties the folder in which loads keep copies of remote files.")
        {
            Sub("ls", "Lists the files, most recently used first.", [Json], (parsed, folder, token) =>
                CacheOutput.ListAsync(context, folder, parsed.GetValue(Json), token)),
            Sub("verify", "Reads every file and compares it with its hashes.", [Json], (parsed, folder, token) =>
                CacheOutput.VerifyAsync(context, folder, parsed.GetValue(Json), token)),
            Sub("prune", "Removes the least recently used files until the cache has at most the given size; files in use stay.", [Size],
                (parsed, folder, token) => CacheOutput.RemoveAsync(context, folder, parsed.GetRequiredValue(Size)!.Value, token)),
            Sub("clear", "Removes everything that is not in use.", [], (_, folder, token) => CacheOutput.RemoveAsync(context, folder, 0, token)),
            Folder,
        };
        command.SetAction(new HelpAction().Invoke);
        return command;

        Command Sub(string name, string description, Option[] options, Func<ParseResult, CacheFolder, CancellationToken, Task<int>> run)
        {
            var sub = new Command(name, description);
            Array.ForEach(options, sub.Options.Add);
            sub.SetAction(async (parsed, token) =>
            {
                CacheFolder folder = FolderOf(context, parsed.GetValue(Folder));
                if (folder.Distrust() is { } reason)
                {
                    string warning = $"loads do not use this cache, because {reason}; "
                        + "take that permission away, or trust the folder (TYPEDWEIGHTS_CACHE_TRUST=1).";
                    context.WriteWarning(warning);
                }

                return await run(parsed, folder, token);
            });
            return sub;
        }
    }

    private static CacheFolder FolderOf(ToolContext context, string? given)
    {
        string path = given is not null ? ArgumentText.OnDisk(given, "a cache is a folder")
            : CacheFolder.OfEnvironment ?? throw new ToolException(
                ExitCodes.Usage, "No cache is given; use --folder DIR, or set the environment variable TYPEDWEIGHTS_CACHE.");
        string full = context.FullPath(path);
        if (Denial.OfUse(full) is { } denied)
        {
            throw new ToolException(ExitCodes.Failed, $"{path}: {denied}.");
        }

        return Directory.Exists(full)
            ? new CacheFolder(full, CacheFolder.IsTrustedByEnvironment)
            : throw new ToolException(
                ExitCodes.Failed, $"{path}: {Absence.Of(full) ?? Absence.OfFolder(full) ?? "the folder does not exist"}.");
    }
}
