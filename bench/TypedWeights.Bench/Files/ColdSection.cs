using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Files;

/// <summary>One file from the disk: before each case, the page cache drops the file.</summary>
internal static partial class ColdSection
{
    private const int DontNeed = 4;
    private static readonly int[] Threads = [2, 8];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        if (!OperatingSystem.IsLinux())
        {
            return [Figure.Skipped("file, cold", "posix_fadvise exists only on Linux")];
        }

        if (await CProgram.TryCompileAsync("pread", measurement.Folder) is not { } native)
        {
            return [Figure.Skipped("file, cold", "the C program could not be compiled")];
        }

        string file = measurement.ModelPath;
        var ours = new Case("into existing memory", () => ColdAsync(file, () => TouchedMemory.MeasureAsync(file)));
        Case[] theirs = [.. Threads.Select(threads => new Case(
            Text.Of($"C, {threads} × pread, touched memory"), () => ColdAsync(file, () => ReadAsync(native, file, threads))))];
        await Interleaved.RunAsync([ours, .. theirs], measurement.Rounds, measurement.Length);
        return [.. theirs.Select(other =>
            Figure.Speed("file, cold → existing memory", ours.Measured, other.Measured, measurement.Length, 0.9))];
    }

    private static async Task<Sample> ReadAsync(string native, string file, int threads) =>
        new(double.Parse(await ExternalProgram.RunAsync(native, file, "touched", Text.Of($"{threads}")), CultureInfo.InvariantCulture));

    private static async Task<Sample> ColdAsync(string path, Func<Task<Sample>> run)
    {
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        {
            // The system does not drop pages that have not been written to the disk yet.
            RandomAccess.FlushToDisk(file);
            int error = Forget(file, 0, 0, DontNeed);
            if (error != 0)
            {
                throw new InvalidOperationException(Text.Of($"posix_fadvise failed with {error}"));
            }
        }

        return await run();
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Forget(SafeFileHandle file, long offset, long length, int advice);
}
