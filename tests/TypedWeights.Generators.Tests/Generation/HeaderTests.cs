using System.Runtime.CompilerServices;
using TypedWeights.Generators.Tests.Headers;
using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Generation;

public class HeaderTests
{
    private static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Corpus", "valid");

    public static TheoryData<string> Traits => [.. HeaderTraits.Small.Keys];

    public static TheoryData<string> OddNames => [.. Directory.GetFiles(Corpus, "names_*").Select(path => Path.GetFileName(path)!).Order()];

    public static TheoryData<string> RealHeaders => SharedFolder.Headers is { } folder
        ? [.. Directory.GetFiles(folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order()]
        : ["(none here)"];

    [Theory]
    [MemberData(nameof(Traits))]
    public void Code_generated_from_the_committed_headers_compiles(string trait) =>
        Generate(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Headers", trait + ".json")));

    [Fact]
    public void Thirteen_hundred_experts_become_one_class()
    {
        GeneratedProject project = Generate(HeaderTraits.Experts());
        Assert.Single(project.Source.Split('\n'), line => line.Contains("class ExpertWeights :", StringComparison.Ordinal));
        Assert.Contains("scope.List(\"experts\", 1300, ", project.Source, StringComparison.Ordinal);
        Assert.True(project.Source.Length < 50_000, "the class grew with the number of experts");
    }

    [Fact]
    public void Nineteen_thousand_tensors_become_a_small_generated_file()
    {
        GeneratedProject project = Generate(HeaderTraits.ManyTensors());
        Assert.Contains("18867 tensors", project.Source, StringComparison.Ordinal);
        Assert.True(project.Source.Length < 200_000, "the class grew with the number of experts");
    }

    [Theory]
    [MemberData(nameof(OddNames))]
    public void Code_generated_from_odd_tensor_names_compiles(string file) => Generate(Snapshots.HeaderOf(Path.Combine(Corpus, file)));

    [Theory]
    [MemberData(nameof(RealHeaders))]
    public void Code_generated_from_the_headers_of_real_models_compiles(string name)
    {
        Assert.SkipWhen(
            SharedFolder.Headers is null,
            "The headers of real models lie outside the repository; TYPEDWEIGHTS_SHARED names their folder.");
        Generate(File.ReadAllBytes(Path.Combine(SharedFolder.Headers!, name + ".json")));
    }

    [Fact]
    public void The_committed_headers_equal_those_that_the_test_code_writes()
    {
        string folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "Headers");
        if (Environment.GetEnvironmentVariable("TYPEDWEIGHTS_WRITE_HEADERS") == "1")
        {
            foreach ((string trait, byte[] header) in HeaderTraits.Small)
            {
                File.WriteAllBytes(Path.Combine(folder, trait + ".json"), [.. header, (byte)'\n']);
            }
        }

        IEnumerable<string> committed = Directory.GetFiles(folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)!);
        Assert.Equal(HeaderTraits.Small.Keys, committed.Order(StringComparer.Ordinal));
        Assert.All(
            HeaderTraits.Small,
            header => Assert.Equal([.. header.Value, (byte)'\n'], File.ReadAllBytes(Path.Combine(folder, header.Key + ".json"))));
    }

    private static GeneratedProject Generate(byte[] header)
    {
        GeneratedProject project = Project.Generate(Snapshots.Text(Snapshots.Of(header)));
        Assert.Contains("LoadAsync", project.Source, StringComparison.Ordinal);
        return project;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
