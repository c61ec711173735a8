using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench.Micro;

/// <summary>The rows that BenchmarkDotNet measures.</summary>
internal static class MicroSection
{
    private const double HeaderLimit = 20;

    public static IReadOnlyList<Figure> Run(Measurement measurement)
    {
        Summary summary = BenchmarkRunner.Run<PlanningBenchmarks>(
            DefaultConfig.Instance.WithArtifactsPath(Path.Combine(measurement.Folder, "micro")));
        double parse = Milliseconds(summary, nameof(PlanningBenchmarks.Parse));
        double plan = Milliseconds(summary, nameof(PlanningBenchmarks.Plan));
        return
        [
            Figure.AtMost("header of 20,000 tensors: parse", parse, "ms", HeaderLimit, "limit"),
            new Figure("header of 20,000 tensors: plan", $"{Text.Of(plan)} ms", "", "", "", true),
        ];
    }

    private static double Milliseconds(Summary summary, string method) => summary.Reports
        .Single(report => report.BenchmarkCase.Descriptor.WorkloadMethod.Name == method)
        .ResultStatistics!.Median / 1e6;
}
