using TypedWeights.Bench.Files;

namespace TypedWeights.Bench;

/// <summary>The arguments of a section, from the process that started it.</summary>
/// <param name="Section">The name of the section.</param>
/// <param name="Rounds">How many rounds count.</param>
/// <param name="Folder">The folder of the model file and the compiled programs; the section may write to it too.</param>
/// <param name="Url">The URL of the model file on a server, for the sections that need one.</param>
internal sealed record Measurement(string Section, int Rounds, string Folder, string? Url)
{
    public string ModelPath => Path.Combine(Folder, ModelFile.Name);

    public string SmallModelPath => Path.Combine(Folder, ModelFile.SmallName);

    public long Length => new FileInfo(ModelPath).Length;

    public string ResultPath => Path.Combine(Folder, Section + ".json");

    public string[] Arguments() =>
    [
        "measure", Section, "--rounds", Figures.Text.Of($"{Rounds}"), "--folder", Folder, .. Url is null ? [] : new[] { "--url", Url },
    ];
}
