using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using TypedWeights.Memory;

namespace TypedWeights.Bench.Files;

/// <summary>
/// Loads one file from the page cache in every way in turn, after a discarded round, and prints every round, then medians and ratios.
/// </summary>
internal static partial class FileComparison
{
    private static readonly string[] NativeKinds = ["huge", "small", "touched"];
    private static readonly string[] NativeNames = ["C, 2 × pread, fresh huge pages", "C, 2 × pread, fresh 4 KiB pages", "C, 2 × pread, touched memory"];

    public static async Task<int> RunAsync(int rounds, string folder)
    {
        TorchNative.EnsureLoaded();
        using ModelFile file = await ModelFile.CreateAsync(folder);
        NativeReader? native = NativeReader.TryCompile(file.Folder);
        await using var touched = new TouchedMemory(file.Length);
        Console.WriteLine(Invariant($"{file.Length / 1e9:F3} GB, {Environment.ProcessorCount} cores, {rounds} rounds; GB/s (lazy: ms)"));

        List<(Measured Measured, Func<Task<double>> Run)> cases = [.. FileCases.Names.Select(name => (new Measured(name), Load(name, file.Path)))];
        cases.Add((new Measured("into touched memory"), () => TimeAsync(() => touched.FillAsync(file.Path))));
        if (native is not null)
        {
            cases.AddRange(NativeKinds.Zip(NativeNames, (kind, name) => (new Measured(name), Native(native, file.Path, kind))));
        }

        // The first round is discarded: it compiles, and it touches memory that the machine may not have touched before.
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < cases.Count; i++)
            {
                (Measured measured, Func<Task<double>> run) = cases[(i + round) % cases.Count];
                Settle(file.Length);
                long before = GC.GetTotalAllocatedBytes(precise: true);
                double seconds = await run();
                long garbage = GC.GetTotalAllocatedBytes(precise: true) - before;
                if (round > 0)
                {
                    measured.Add(seconds, garbage);
                }

                Console.WriteLine(Invariant($"round {round}  {measured.Name,-40} {file.Length / 1e9 / seconds,8:F2} GB/s {seconds * 1000,9:F1} ms  {garbage / 1048576.0:F2} MiB allocated"));
            }
        }

        Report([.. cases.Select(item => item.Measured)], file);
        return 0;
    }

    private static void Report(List<Measured> results, ModelFile file)
    {
        double? Base(string name) => results.Find(result => result.Name == name)?.Median;
        Console.WriteLine("\n| | median | GB/s | / C huge | / C 4 KiB | / C touched | MiB allocated | peak MiB above idle |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (Measured result in results)
        {
            string ratios = string.Join(" | ", NativeNames.Select(name => Base(name) is { } seconds ? Invariant($"{seconds / result.Median:F2}") : "–"));
            string peak = "–";
            if (FileCases.Names.Contains(result.Name) && OperatingSystem.IsLinux())
            {
                (double before, double most) = PeakMemory.Of(result.Name, file.Path);
                peak = Invariant($"{most - before:F0}");
            }

            Console.WriteLine(Invariant(
                $"| {result.Name} | {result.Median * 1000:F1} ms | {file.Length / 1e9 / result.Median:F2} | {ratios} | {result.Garbage / 1048576.0:F2} | {peak} |"));
        }

        Console.WriteLine(Invariant($"\nThe file has {file.Length / 1048576.0:F0} MiB. Ratios are of speeds: above 1 is faster than the C program."));
    }

    private static Func<Task<double>> Load(string name, string path) => async () =>
    {
        IDisposable? loaded = null;
        double seconds = await TimeAsync(async () => loaded = await FileCases.LoadAsync(name, path));
        loaded!.Dispose();
        return seconds;
    };

    private static Func<Task<double>> Native(NativeReader native, string path, string memory) => () => Task.FromResult(native.Seconds(path, memory));

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        var watch = Stopwatch.StartNew();
        await action();
        return watch.Elapsed.TotalSeconds;
    }

    // What one case left behind is not the next one's to clean up, nor to use: memory that the C library keeps would not be fresh. And
    // what the system hands out as fresh is as fast for each: touched lately, in huge pages, not for the first time since the machine began.
    private static void Settle(long length)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        if (OperatingSystem.IsLinux())
        {
            _ = TrimHeap(0);
        }

        using HeapRegion region = HeapRegion.Allocate(length);
        new NativeMemoryManager(region.Address, checked((int)length)).GetSpan().Clear();
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keep);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
