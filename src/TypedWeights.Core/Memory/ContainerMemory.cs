using System.Globalization;

namespace TypedWeights.Memory;

/// <summary>The memory that a container leaves its processes: the limit of a Linux control group, and what is in use of it.</summary>
/// <param name="Where">The file that holds the limit.</param>
/// <param name="Limit">The limit in bytes.</param>
/// <param name="Used">The memory in use in bytes, without the page cache of files, which the kernel can drop.</param>
/// <param name="Swap">The free swap in bytes.</param>
/// <remarks>
/// The runtime's own number (<see cref="GCMemoryInfo.TotalAvailableMemoryBytes"/>) is 75 % of the limit, whatever is in use: it would refuse
/// loads that fit and allow loads that do not.
/// </remarks>
internal sealed record ContainerMemory(string Where, long Limit, long Used, long Swap)
{
    // Version 1 writes its largest number, rounded down to a page, if there is no limit.
    private const long Unlimited = long.MaxValue >> 1;

    private static readonly Names Version1 =
        new("memory.limit_in_bytes", "memory.usage_in_bytes", "total_", "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes");

    private static readonly Names Version2 = new("memory.max", "memory.current", "", "memory.swap.max", "memory.swap.current");

    /// <summary>The bytes that are left.</summary>
    public long Free => Math.Max(0, Limit - Used + Swap);

    /// <summary>Reads the container of this process: of its control group and the groups around it the one with the least free memory.</summary>
    /// <param name="root">The prefix of every path that is read; for tests.</param>
    /// <returns>null if there is no limit, and on other systems than Linux.</returns>
    public static ContainerMemory? Read(string root = "")
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            return Groups(root).Select(group => OfGroup(root, group.Folder, group.Names)).OfType<ContainerMemory>()
                .MinBy(static group => group.Free);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            // The files cannot be read, or have a format of an unknown kernel.
            return null;
        }
    }

    // The folders of the process's groups and of the groups around them, as far as this process can see them.
    private static IEnumerable<(string Folder, Names Names)> Groups(string root)
    {
        foreach (string line in File.ReadLines(root + "/proc/self/mountinfo"))
        {
            // 36 35 98:0 ROOT MOUNT OPTIONS [more] - TYPE SOURCE SUPEROPTIONS
            string[] words = line.Split(' ');
            int dash = Array.IndexOf(words, "-");
            if (dash < 5 || words.Length < dash + 4)
            {
                continue;
            }

            bool isVersion2 = words[dash + 1] == "cgroup2";
            bool isVersion1 = words[dash + 1] == "cgroup" && words[dash + 3].Split(',').Contains("memory");
            if ((isVersion1 || isVersion2) && PathOf(root, isVersion2) is { } path)
            {
                string mount = Unescape(words[4]);
                string relative = Below(path, Unescape(words[3]));
                for (string folder = relative; ; folder = folder[..folder.LastIndexOf('/')])
                {
                    yield return (mount.TrimEnd('/') + folder, isVersion2 ? Version2 : Version1);
                    if (folder.Length == 0)
                    {
                        break;
                    }
                }
            }
        }
    }

    // 4:cpu,memory:/path, and for version 2 0::/path.
    private static string? PathOf(string root, bool isVersion2)
    {
        foreach (string line in File.ReadLines(root + "/proc/self/cgroup"))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length == 3 && (isVersion2 ? parts[0] == "0" && parts[1].Length == 0 : parts[1].Split(',').Contains("memory")))
            {
                return parts[2];
            }
        }

        return null;
    }

    // The part of the path below the mount; empty if the path is elsewhere, as in a container that sees only its own group.
    private static string Below(string path, string mounted)
    {
        string above = mounted.TrimEnd('/');
        string below = path.StartsWith(above + "/", StringComparison.Ordinal) ? path[above.Length..].TrimEnd('/') : "";
        return below.Split('/').Contains("..") ? "" : below;
    }

    private static ContainerMemory? OfGroup(string root, string folder, Names names)
    {
        string where = $"{folder}/{names.Limit}";
        if (Number(root + where) is not { } limit || limit >= Unlimited || Number($"{root}{folder}/{names.Usage}") is not { } usage)
        {
            return null;
        }

        // The kernel drops pages of files when memory is needed.
        long files = 0;
        foreach (string line in File.ReadLines($"{root}{folder}/memory.stat"))
        {
            string[] words = line.Split(' ');
            if (words is [_, var value] && (words[0] == names.Total + "active_file" || words[0] == names.Total + "inactive_file"))
            {
                files += long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }

        return new ContainerMemory(where, limit, Math.Max(0, usage - files), SwapOf(root, folder, names, limit, usage));
    }

    // Version 1 counts swap together with memory, and on some systems not at all: then all free swap counts.
    private static long SwapOf(string root, string folder, Names names, long limit, long usage)
    {
        long free = FreeSwap(root);
        if (free == 0 || Number($"{root}{folder}/{names.SwapLimit}") is not { } swapLimit
            || Number($"{root}{folder}/{names.SwapUsage}") is not { } swapUsage)
        {
            return free;
        }

        long left = names == Version2 ? swapLimit - swapUsage : swapLimit - limit - (swapUsage - usage);
        return Math.Clamp(left, 0, free);
    }

    private static long FreeSwap(string root)
    {
        foreach (string line in File.ReadLines(root + "/proc/meminfo"))
        {
            if (line.StartsWith("SwapFree:", StringComparison.Ordinal))
            {
                ReadOnlySpan<char> kilobytes = line.AsSpan("SwapFree:".Length).Trim().TrimEnd("kB").Trim();
                return 1024 * long.Parse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    // "max" and a missing file, as in the outermost group, mean that there is no limit.
    private static long? Number(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        string text = File.ReadAllText(path).Trim();
        return text == "max" ? long.MaxValue : (long)Math.Min(ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture), long.MaxValue);
    }

    // A space in a path is \040.
    private static string Unescape(string path) => path
        .Replace("\\040", " ", StringComparison.Ordinal)
        .Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\134", "\\", StringComparison.Ordinal);

    private sealed record Names(string Limit, string Usage, string Total, string SwapLimit, string SwapUsage);
}
