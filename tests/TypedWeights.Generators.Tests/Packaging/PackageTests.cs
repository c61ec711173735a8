using System.IO.Compression;
using System.Xml.Linq;
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
        Assert.Equal(
            ["analyzers/dotnet/cs/TypedWeights.Generators.dll"],
            files.Where(file => file.StartsWith("analyzers/", StringComparison.Ordinal)));
        Assert.Contains("build/TypedWeights.targets", files);
        Assert.Contains("buildTransitive/TypedWeights.targets", files);
        Assert.DoesNotContain(
            files,
            file => file.StartsWith("lib/", StringComparison.Ordinal) && file.Contains("Generators", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TypedWeights.Core", "Microsoft.Extensions.Logging.Abstractions", "System.IO.Hashing")]
    [InlineData("TypedWeights.TorchNative", "TypedWeights.Core [this]", "TorchSharp")]
    [InlineData("TypedWeights", "TypedWeights.Core [this]", "TypedWeights.TorchNative [this]", "TorchSharp")]
    // The packages of the stores bring the generator along with TypedWeights.
    [InlineData("TypedWeights.AzureBlobs", "TypedWeights.Core", "TypedWeights", "Azure.Identity", "Azure.Storage.Blobs")]
    [InlineData(
        "TypedWeights.S3", "TypedWeights.Core", "TypedWeights", "AWSSDK.S3", "AWSSDK.SSO", "AWSSDK.SSOOIDC", "AWSSDK.SecurityToken")]
    // The first two of Google's are pins: Google.Cloud.Storage.V1 asks for versions of them that some feeds lack (NU1603).
    [InlineData(
        "TypedWeights.Gcs", "TypedWeights.Core", "TypedWeights", "Google.Api.Gax.Rest", "Google.Apis.Storage.v1", "Google.Cloud.Storage.V1")]
    public void A_package_depends_on_the_exact_version_of_packages_whose_internals_it_uses(
        string package, params string[] dependencies)
    {
        using ZipArchive packed = ZipFile.OpenRead(Directory.GetFiles(feed.Folder, $"{package}.0*.nupkg").Single());
        using Stream text = packed.GetEntry($"{package}.nuspec")!.Open();
        var nuspec = XDocument.Load(text);
        string version = nuspec.Descendants().Single(static element => element.Name.LocalName == "version").Value;
        Assert.Equal(
            dependencies,
            nuspec.Descendants().Where(static element => element.Name.LocalName == "dependency").Select(element =>
                element.Attribute("id")!.Value + (element.Attribute("version")!.Value == $"[{version}]" ? " [this]" : "")));
    }

    [Fact]
    public async Task A_project_that_references_the_package_gets_generated_code() =>
        Assert.Equal("[8, 4] lm_head.weight", await RunAsync("Direct", """<PackageReference Include="TypedWeights" Version="0.*-*" />""", "weights"));

    [Fact]
    public async Task A_project_that_references_the_package_through_another_gets_generated_code()
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
    public async Task The_snapshot_folder_of_a_project_may_be_capitalised() => Assert.Equal("[8, 4] lm_head.weight", await RunAsync(
        "Capital", """<PackageReference Include="TypedWeights" Version="0.*-*" />""", "Weights"));

    [Fact]
    public async Task A_project_may_keep_its_snapshots_in_a_configured_folder() => Assert.Equal("[8, 4] lm_head.weight", await RunAsync(
        "Elsewhere",
        """<PackageReference Include="TypedWeights" Version="0.*-*" />""",
        "models",
        "<TypedWeightsSnapshots>models/*.weights.json</TypedWeightsSnapshots>"));

    [Theory]
    [InlineData("Found", "weights", "<TargetFramework>net10.0</TargetFramework>")]
    [InlineData(
        "Listed",
        "models",
        """
        <TargetFrameworks>net10.0;net10.0-windows</TargetFrameworks>
        <EnableWindowsTargeting>true</EnableWindowsTargeting>
        <DisableTransitiveFrameworkReferenceDownloads>true</DisableTransitiveFrameworkReferenceDownloads>
        <TypedWeightsSnapshots>none</TypedWeightsSnapshots>
        """)]
    public async Task A_moved_or_deleted_snapshot_rebuilds_the_project_and_nothing_else_does(
        string name, string snapshots, string properties)
    {
        CancellationToken token = TestContext.Current.CancellationToken;

        // The quote is there for the targets, which must not take it for the end of a text.
        string folder = feed.NewFolder(name + "'s");
        string compiled = Path.Combine(folder, "obj", "Debug", "net10.0", name + ".dll");
        string snapshot = Path.Combine(folder, snapshots, "TinyModel.weights.json");
        await WriteProjectAsync(
            folder,
            name,
            """
            <PackageReference Include="TypedWeights" Version="0.*-*" />
            <AdditionalFiles Include="$(MSBuildProjectDirectory)/models/*.weights.json" />
            """,
            snapshots,
            properties);
        await feed.DotnetAsync(folder, "build");
        DateTime first = File.GetLastWriteTimeUtc(compiled);

        await feed.DotnetAsync(folder, "build", "--no-restore");
        Assert.Equal(first, File.GetLastWriteTimeUtc(compiled));

        // A move keeps the time of the last write, so that by times alone there is nothing new.
        string moved = Path.Combine(folder, snapshots, "Moved.weights.json");
        File.Move(snapshot, moved);
        await feed.DotnetAsync(folder, "build", "--no-restore");
        DateTime second = File.GetLastWriteTimeUtc(compiled);
        Assert.NotEqual(first, second);

        // What an editor asks for leaves nothing behind that the next build would take for a change.
        await feed.DotnetAsync(
            folder, "build", "--no-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:TargetFramework=net10.0");
        await feed.DotnetAsync(folder, "build", "--no-restore");
        Assert.Equal(second, File.GetLastWriteTimeUtc(compiled));

        File.Delete(moved);
        (int exitCode, string text) = await feed.TryDotnetAsync(folder, "build", "--no-restore");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("error TW0001", text, StringComparison.Ordinal);

        await feed.DotnetAsync(folder, "clean");
        Assert.Empty(Directory.GetFiles(folder, "*.TypedWeightsSnapshots.cache", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_project_without_snapshots_is_not_compiled_again()
    {
        string folder = feed.NewFolder("None");
        await WriteProjectAsync(
            folder,
            "None",
            """<PackageReference Include="TypedWeights" Version="0.*-*" />""",
            snapshots: null,
            "<TargetFramework>net10.0</TargetFramework>");
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), "System.Console.Write(1);", TestContext.Current.CancellationToken);
        string compiled = Path.Combine(folder, "obj", "Debug", "net10.0", "None.dll");
        await feed.DotnetAsync(folder, "build");
        DateTime first = File.GetLastWriteTimeUtc(compiled);

        await feed.DotnetAsync(folder, "build", "--no-restore");

        Assert.Equal(first, File.GetLastWriteTimeUtc(compiled));
    }

    private async Task<string> RunAsync(string name, string reference, string snapshots, string property = "")
    {
        string folder = feed.NewFolder(name);
        await WriteProjectAsync(folder, name, reference, snapshots, "<TargetFramework>net10.0</TargetFramework>" + property);
        await feed.DotnetAsync(folder, "build", "-o", "out");
        return await feed.DotnetAsync(folder, Path.Combine("out", name + ".dll"));
    }

    private static async Task WriteProjectAsync(string folder, string name, string references, string? snapshots, string properties)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        if (snapshots is not null)
        {
            Directory.CreateDirectory(Path.Combine(folder, snapshots));
            await File.WriteAllTextAsync(
                Path.Combine(folder, snapshots, "TinyModel.weights.json"), Snapshots.Text(Snapshots.Of(HeaderTraits.Small["tied"])), token);
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), Program, token);
        await File.WriteAllTextAsync(
            Path.Combine(folder, name + ".csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <Nullable>enable</Nullable>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                {references}
              </ItemGroup>
            </Project>
            """,
            token);
    }
}
