using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Generation;

public class HeaderTests
{
    private static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Corpus", "valid");

    public static TheoryData<string> OddNames => [.. Directory.GetFiles(Corpus, "names_*").Select(path => Path.GetFileName(path)!).Order()];

    public static TheoryData<string> RealHeaders => SharedFolder.Headers is { } folder
        ? [.. Directory.GetFiles(folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order()]
        : ["(none here)"];

    [Theory]
    [MemberData(nameof(OddNames))]
    public void Odd_names_compile(string file) => Generate(Snapshots.HeaderOf(Path.Combine(Corpus, file)), file);

    [Theory]
    [MemberData(nameof(RealHeaders))]
    public void Headers_of_real_models_compile(string name)
    {
        Assert.SkipWhen(SharedFolder.Headers is null, "The headers of real models lie outside the repository; TYPEDWEIGHTS_SHARED names their folder.");
        Generate(File.ReadAllBytes(Path.Combine(SharedFolder.Headers!, name + ".json")), name);
    }

    private static void Generate(byte[] header, string name)
    {
        GeneratedProject project = Project.Generate(Snapshots.Text(Snapshots.Of(header)));
        Assert.Contains("LoadAsync", project.Source, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("DUMP") is { } dump)
        {
            File.WriteAllText(Path.Combine(dump, name + ".cs"), project.Source);
        }
    }
}
