using System.Globalization;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Files;

/// <summary>One file from the page cache, with the fast ways of the loader, against C.</summary>
internal static class FileSection
{
    private const string Touched = "into existing memory";

    // The C program is compiled already. The runtime recompiles a method after about thirty calls, in the background.
    private const int WarmUp = 200;

    // One round takes 0.1 to 0.2 s, and two rounds can differ by as much as the rows should show.
    private const int RoundsForEach = 3;
    private const int MappedTensors = 291;
    private const double MiB = 1 << 20;

    private static readonly (string Memory, string Name)[] NativeKinds =
    [
        ("huge", "C, 2 × pread, fresh huge pages"),
        ("small", "C, 2 × pread, fresh 4 KiB pages"),
        ("touched", "C, 2 × pread, touched memory"),
    ];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        string? native = await CProgram.TryCompileAsync("pread", measurement.Folder);
        Case[] small = OurWays(measurement.SmallModelPath);
        for (int load = 0; load < WarmUp; load++)
        {
            foreach (Case way in small)
            {
                await way.Run();
            }
        }

        List<Case> cases = [.. OurWays(measurement.ModelPath)];
        if (native is not null)
        {
            cases.AddRange(NativeKinds.Select(kind => new Case(kind.Name, () => ReadAsync(native, measurement.ModelPath, kind.Memory))));
        }

        await Interleaved.RunAsync(cases, measurement.Rounds * RoundsForEach, measurement.Length);
        List<Measured> results = [.. cases.Select(item => item.Measured)];
        return [.. Speeds(results, measurement.Length), .. await FreshAsync(results, measurement)];
    }

    private static Case[] OurWays(string path) =>
    [
        FileCases.Case(nameof(TensorStorage.Arena), path),
        FileCases.Case(nameof(TensorStorage.Mapped), path),
        new Case(Touched, () => TouchedMemory.MeasureAsync(path)),
    ];

    private static async Task<Sample> ReadAsync(string native, string file, string memory) =>
        new(double.Parse(await ExternalProgram.RunAsync(native, file, memory, "2"), CultureInfo.InvariantCulture));

    private static IEnumerable<Figure> Speeds(List<Measured> results, long bytes)
    {
        Measured arena = Of(results, nameof(TensorStorage.Arena));
        Measured mapped = Of(results, nameof(TensorStorage.Mapped));
        (string Work, Measured Ours, double Wanted)[] rows =
        [
            ("file → new tensors", arena, 0.9),
            ("file → new tensors", arena, 2),
            ("file → existing memory", Of(results, Touched), 0.95),
        ];
        for (int i = 0; i < rows.Length; i++)
        {
            (string work, Measured ours, double wanted) = rows[i];
            yield return results.Exists(result => result.Name == NativeKinds[i].Name)
                ? Figure.Speed(work, ours, Of(results, NativeKinds[i].Name), bytes, wanted)
                : Figure.Skipped(work, "the C program could not be compiled") with { Measured = Figure.GigabytesPerSecond(ours, bytes) };
        }

        yield return Figure.AtMost("file, mapped", mapped.Median * 1000, "ms", 15 + (0.01 * MappedTensors), "15 ms + 10 µs per tensor");
    }

    private static async Task<IEnumerable<Figure>> FreshAsync(List<Measured> results, Measurement measurement)
    {
        Measured arena = Of(results, nameof(TensorStorage.Arena));
        Figure garbage = Figure.AtMost("file: garbage", arena.Garbage / MiB / (measurement.Length / 1e9), "MiB/GB", 1, "limit");
        if (!OperatingSystem.IsLinux())
        {
            return [garbage, FreshProcess.NoPeak("file")];
        }

        FreshProcess fresh = await FreshProcess.LoadAsync(arena.Name, measurement.ModelPath);
        return
        [
            garbage,
            fresh.Peak("file", measurement.Length),
        ];
    }

    private static Measured Of(List<Measured> results, string name) => results.Single(result => result.Name == name);
}
