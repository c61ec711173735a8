using BenchmarkDotNet.Running;
using TypedWeights.Bench.Files;
using TypedWeights.Bench.Micro;
using TypedWeights.Bench.Tiny;

switch (args)
{
    case ["file", .. string[] rest]:
        return await FileComparison.RunAsync(Option(rest, "--rounds", 7), Text(rest, "--folder", Path.GetTempPath()));
    case ["peak", string name, string path]:
        return await PeakMemory.ReportAsync(name, path);
    case ["tiny", .. string[] rest]:
        return await TinyTensors.RunAsync(Option(rest, "--rounds", 101));
    case ["micro", ..]:
        BenchmarkRunner.Run<PlanningBenchmarks>();
        return 0;
    default:
        Console.Error.WriteLine("""
            file [--rounds 7] [--folder DIR]   a file of 2.1 GB against C, and against what a .NET user writes (makes and removes the file)
            tiny [--rounds 101]                a file of 1,000 tiny tensors against 1,000 torch.empty
            micro                              header parsing and planning (BenchmarkDotNet)
            """);
        return 2;
}

static string Text(string[] args, string name, string fallback) =>
    Array.IndexOf(args, name) is int at && at >= 0 && at + 1 < args.Length ? args[at + 1] : fallback;

static int Option(string[] args, string name, int fallback) =>
    int.Parse(Text(args, name, fallback.ToString(System.Globalization.CultureInfo.InvariantCulture)), System.Globalization.CultureInfo.InvariantCulture);
