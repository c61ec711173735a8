using TypedWeights.Checkpoints;
using TypedWeights.Downloads;
using TypedWeights.Errors;

namespace TypedWeights.Tool.Downloads;

/// <summary>Where files go: the second argument of <c>download</c>.</summary>
internal sealed class DownloadTarget
{
    private readonly string _given;
    private readonly bool _isFolder;

    private DownloadTarget(string given, bool isFolder)
    {
        _given = given;
        _isFolder = isFolder;
    }

    /// <summary>Reads the argument for what there is to fetch.</summary>
    /// <param name="context">The command's.</param>
    /// <param name="given">The argument.</param>
    /// <param name="set">What there is to fetch.</param>
    /// <exception cref="ToolException">It cannot be meant.</exception>
    public static DownloadTarget Of(ToolContext context, string given, DownloadSet set)
    {
        string full = context.FullPath(given);
        bool isFolder = Directory.Exists(full);
        if (set.IsSharded && File.Exists(full))
        {
            throw new ToolException(
                ExitCodes.Usage, $"{given} is a file; an index and its {set.Files.Count - 1} shards go into a folder, so give the name of one.");
        }

        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(full)) ?? full;
        bool namesFolder = Path.EndsInDirectorySeparator(given);
        if (!isFolder && (!Directory.Exists(parent) || (namesFolder && !set.IsSharded)))
        {
            string missing = namesFolder && !set.IsSharded ? given : context.ShortPath(parent);
            throw new ToolException(ExitCodes.Usage, $"There is no folder {missing}; make it first.");
        }

        if (isFolder && !set.IsSharded)
        {
            RefuseName(set.Files[0].Name);
        }

        return new DownloadTarget(given, isFolder || set.IsSharded);
    }

    /// <summary>The path of a file as a person would write it after what was given.</summary>
    public string Shown(DownloadFile file) => _isFolder ? Path.Join(_given, file.Name) : _given;

    /// <summary>The path of a file in full; folders that it lies in are made.</summary>
    /// <exception cref="WeightsException">They cannot be made.</exception>
    public string Make(ToolContext context, DownloadFile file)
    {
        string full = context.FullPath(Shown(file));
        if (_isFolder)
        {
            string folder = Path.GetDirectoryName(full)!;
            try
            {
                Directory.CreateDirectory(folder);
            }
            catch (Exception e) when (DiskFailure.Is(e))
            {
                throw DiskFailure.Of(e, context.ShortPath(folder));
            }
        }

        return full;
    }

    // The last part of a URL, unescaped, may lead anywhere; the shards' names have been checked. What means something in a URL alone (an
    // escaped '#', say) is a character like others on a disk.
    private static void RefuseName(string name)
    {
        if (ShardName.Refuse(string.Concat(name.Split('#', '?', '%'))) is not null || name.Contains('/', StringComparison.Ordinal))
        {
            throw new ToolException(
                ExitCodes.Usage, $"The URI's last part, {Printable.Name(name)}, is no plain file name; give DEST with the name of a file.");
        }
    }
}
