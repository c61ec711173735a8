using System.Globalization;

namespace TypedWeights.Tests.Devices;

/// <summary>What Linux says of this process's memory.</summary>
internal static class ProcessMemory
{
    /// <summary>Bytes in main memory.</summary>
    public static long Resident => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024;

    /// <summary>
    /// Gives back what nobody holds any more, and what the collector keeps of it: it does so by and by otherwise, and what an earlier test
    /// left would go in the middle of this one.
    /// </summary>
    public static void Settle()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>The mappings whose line ends with a text: the path of a mapped file.</summary>
    public static IReadOnlyList<(long Begin, long End, string Line)> Mappings(string ending) =>
        [.. File.ReadLines("/proc/self/maps").Where(line => line.EndsWith(ending, StringComparison.Ordinal)).Select(Parse)];

    /// <summary>Whether the mapping that an address lies in has been advised to use huge pages.</summary>
    public static bool IsAdvisedHuge(nint address)
    {
        bool here = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (line.Split(' ')[0] is { } range && range.Contains('-', StringComparison.Ordinal))
            {
                (long begin, long end, _) = Parse(line);
                here = address >= begin && address < end;
            }
            else if (here && line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                return line.Split(' ').Contains("hg");
            }
        }

        return false;
    }

    public static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc tells of memory on Linux alone");

    private static (long Begin, long End, string Line) Parse(string line)
    {
        string[] ends = line.Split(' ')[0].Split('-');
        return (
            long.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            long.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            line);
    }
}
