using System.IO.Compression;
using TypedWeights.Generators.Tests.Headers;

namespace TypedWeights.Generators.Tests.Packaging;

/// <summary>The package as users get it: new projects restored from packed files.</summary>
public class PackageTests(PackedFeed feed) : IClassFixture<PackedFeed>
{
    private const string Program = """
        System.Console.Write(Demo.TinyModel.Paths.Model.EmbedTokens.Weight.Shape + " " + Demo.TinyModel.Paths.LmHead.Weight);

        namespace Demo
        {
            [TypedWeights.SafeTensorsModel("weights.safetensors")]
            internal sealed partial class TinyModel;
        }
        """;

    [Fact]
    public void The_package_holds_one_analyzer_and_targets_for_direct_and_transitive_use()
    {
        using ZipArchive package = ZipFile.OpenRead(Directory.GetFiles(feed.Folder, "TypedWeights.0*.nupkg").Single());
        string[] files = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Equal(["analyzers/dotnet/cs/TypedWeights.Generators.dll"], files.Where(file => file.StartsWith("analyzers/", StringComparison.Ordinal)));
        Assert.Contains("build/TypedWeights.targets", files);
        Assert.Contains("buildTransitive/TypedWeights.targets", files);
        Assert.DoesNotContain(files, file => file.StartsWith("lib/", StringComparison.Ordinal) && file.Contains("Generators", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_project_that_adds_the_package_generates() =>
        Assert.Equal("[8, 4] lm_head.weight", await RunAsync("Direct", """<PackageReference Include="TypedWeights" Version="0.*-*" />""", "weights"));

    [Fact]
    public async Task A_project_that_has_the_package_through_another_generates()
    {
        const string Satellite = """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <PackageId>Satellite</PackageId>
                <NoWarn>$(NoWarn);NU5104;NU5128</NoWarn>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="TypedWeights" Version="0.*-*" PrivateAssets="none" />
              </ItemGroup>
            </Project>
            """;
        string folder = feed.NewFolder("Satellite");
        await File.WriteAllTextAsync(Path.Combine(folder, "Satellite.csproj"), Satellite, TestContext.Current.CancellationToken);
        await feed.DotnetAsync(folder, "pack", "-o", feed.Folder);
        Assert.Equal("[8, 4] lm_head.weight", await RunAsync("Through", """<PackageReference Include="Satellite" Version="1.0.0" />""", "weights"));
    }

    [Fact]
    public async Task A_project_may_keep_its_snapshots_elsewhere() => Assert.Equal("[8, 4] lm_head.weight", await RunAsync(
        "Elsewhere",
        """<PackageReference Include="TypedWeights" Version="0.*-*" />""",
        "models",
        "<TypedWeightsSnapshots>models/*.weights.json</TypedWeightsSnapshots>"));

    private async Task<string> RunAsync(string name, string reference, string snapshots, string property = "")
    {
        string folder = feed.NewFolder(name);
        Directory.CreateDirectory(Path.Combine(folder, snapshots));
        CancellationToken token = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(
            Path.Combine(folder, snapshots, "TinyModel.weights.json"), Snapshots.Text(Snapshots.Of(HeaderTraits.Small["tied"])), token);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), Program, token);
        await File.WriteAllTextAsync(
            Path.Combine(folder, name + ".csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <Nullable>enable</Nullable>
                {property}
              </PropertyGroup>
              <ItemGroup>
                {reference}
              </ItemGroup>
            </Project>
            """,
            token);
        await feed.DotnetAsync(folder, "build", "-o", "out");
        return await feed.DotnetAsync(folder, Path.Combine("out", name + ".dll"));
    }
}
