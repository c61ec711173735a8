using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;

namespace TypedWeights.Bench.FirstLoad;

/// <summary>
/// The first load of a process, which is the only one in most processes: nothing is compiled, no connection is open. Each round starts a
/// new process for each way; the clock runs inside it, from the call to the tensors, after libtorch has been loaded.
/// </summary>
internal static class FirstLoadSection
{
    private const string Ours = nameof(TensorStorage.Arena);

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        string url = measurement.Url!, smallUrl = url.Replace(ModelFile.Name, ModelFile.SmallName, StringComparison.Ordinal);
        long small = new FileInfo(measurement.SmallModelPath).Length;
        Figure[] rows =
        [
            await CompareAsync("file", measurement.ModelPath, FileCases.PyBridge, measurement.Length),
            await CompareAsync("small file", measurement.SmallModelPath, FileCases.PyBridge, small),
            await CompareAsync("HTTP", url, FileCases.HttpClient, measurement.Length),
            await CompareAsync("small file, HTTP", smallUrl, FileCases.HttpClient, small),
        ];
        return rows;

        async Task<Figure> CompareAsync(string work, string source, string peer, long bytes)
        {
            Case ours = OfProcess(Ours, source), theirs = OfProcess(peer, source);
            await Interleaved.RunAsync([ours, theirs], measurement.Rounds, bytes);
            double ratio = ours.Measured.Median / theirs.Measured.Median;
            return new Figure(
                $"first load of a process, {work} of {Text.Of(bytes / 1e6)} MB",
                Milliseconds(ours),
                $"{peer}: {Milliseconds(theirs)}",
                $"{Text.Of(ratio)} ×",
                "",
                Ok: true);
        }
    }

    private static Case OfProcess(string name, string source) =>
        new(name, async () => new Sample((await FreshProcess.LoadAsync(name, source)).Milliseconds / 1000));

    private static string Milliseconds(Case of) => Text.Of($"{of.Measured.Median * 1000:F0} ms");
}
