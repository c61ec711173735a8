using TypedWeights.Downloads;
using TypedWeights.Format;

namespace TypedWeights.Tool.Downloads;

/// <summary>
/// Checks a name that an index, a listing or a URL chose, before a file is written under it: the user controls neither the content nor the
/// name. <see cref="ShardName"/> checks the names of shards that are read.
/// </summary>
internal static class ForeignName
{
    /// <summary>What the name of an index ends with.</summary>
    public const string IndexSuffix = ".safetensors.index.json";

    /// <summary>What the name of a safetensors file ends with.</summary>
    public const string FileSuffix = ".safetensors";

    // On Windows these names are devices in every folder and with every extension. They are rejected on every system, because folders are
    // copied from one system to another.
    private static readonly HashSet<string> Devices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
    };

    /// <summary>Returns why a name must not be written.</summary>
    /// <param name="name">The name, relative to the folder that it goes to.</param>
    /// <param name="suffix">What it has to end with; empty for anything.</param>
    /// <returns>The rest of a sentence that starts with "it", or null for a name that may be written.</returns>
    public static string? Refuse(string name, string suffix)
    {
        if (ShardName.Refuse(name) is { } unsafeName)
        {
            return unsafeName;
        }

        foreach (string part in name.Split('/'))
        {
            if (part.StartsWith('.'))
            {
                return "starts with a dot, which hides it";
            }

            if (part.EndsWith('.') || part.EndsWith(' '))
            {
                return "ends with a dot or a space, which Windows removes";
            }

            if (part.EndsWith(PartialFile.Suffix, StringComparison.OrdinalIgnoreCase)
                || part.EndsWith(PartialFile.Suffix + PartialFile.JournalSuffix, StringComparison.OrdinalIgnoreCase))
            {
                return $"ends with {PartialFile.Suffix} or {PartialFile.Suffix}{PartialFile.JournalSuffix}, which marks an incomplete download";
            }

            if (Devices.Contains(part.Split('.')[0].TrimEnd()))
            {
                return "is the name of a device on Windows";
            }
        }

        return name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? null : $"does not end with {suffix}";
    }

    /// <summary>Finds a file that another file of the same set needs as a folder. Not every system distinguishes upper and lower case.</summary>
    /// <returns>The two names; null if there is no such file.</returns>
    public static (string File, string Below)? FindFileAsFolder(IEnumerable<string> names)
    {
        var files = new HashSet<string>(names, StringComparer.OrdinalIgnoreCase);
        foreach (string name in files)
        {
            for (int end = name.IndexOf('/'); end >= 0; end = name.IndexOf('/', end + 1))
            {
                if (files.TryGetValue(name[..end], out string? file))
                {
                    return (file, name);
                }
            }
        }

        return null;
    }
}
