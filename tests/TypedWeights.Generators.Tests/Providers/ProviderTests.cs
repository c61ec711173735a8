extern alias generators;

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using TypedWeights.Generators.Tests.Headers;
using TypedWeights.Generators.Tests.Incrementality;
using TypedWeights.Sources.Stores;
using StepNames = generators::TypedWeights.Generators.StepNames;

namespace TypedWeights.Generators.Tests.Providers;

public class ProviderTests
{
    // Somebody's package, as it is written down in docs/stores.md.
    private const string Package = """
        #pragma warning disable CS1591
        using TypedWeights.Sources;
        using TypedWeights.Sources.Stores;

        [assembly: WeightSourceProvider<Acme.Store>("SCHEME", "SCHEME2")]
        [assembly: WeightSourceProvider<Acme.Hidden>("hidden")]

        namespace Acme
        {
            public sealed class Store : IRegisteredSource<Store>
            {
                public System.Collections.Generic.IReadOnlyList<string> Schemes => ["SCHEME", "SCHEME2"];
                public static Store Create(StoreContext context) => new();
                public System.Threading.Tasks.ValueTask<IWeightLocation> LocateAsync(
                    WeightUri uri, System.Threading.CancellationToken cancellationToken) => throw new System.NotSupportedException();
                public System.Threading.Tasks.ValueTask DisposeAsync() => default;
            }

            internal sealed class Hidden : IRegisteredSource<Hidden>
            {
                public System.Collections.Generic.IReadOnlyList<string> Schemes => ["hidden"];
                public static Hidden Create(StoreContext context) => new();
                public System.Threading.Tasks.ValueTask<IWeightLocation> LocateAsync(
                    WeightUri uri, System.Threading.CancellationToken cancellationToken) => throw new System.NotSupportedException();
                public System.Threading.Tasks.ValueTask DisposeAsync() => default;
            }
        }
        """;

    private const string S3Class = "[TypedWeights.SafeTensorsModel(\"s3://bucket/m.safetensors\")] sealed partial class M;";

    private static readonly AdditionalText[] S3Snapshot =
        [Project.Snapshot(
            Snapshots.Text(Snapshots.Of(HeaderTraits.Small["tied"]))
                .Replace("weights.safetensors", "s3://bucket/m.safetensors", StringComparison.Ordinal),
            "M")];

    [Fact]
    public void A_project_without_a_model_class_registers_the_public_providers_it_references()
    {
        GeneratedProject project = Generate(Project.Compile("class Unrelated;"), "gentest1", []);
        Assert.Empty(project.Diagnostics);
        Assert.Equal("TypedWeights.Providers.g.cs", Path.GetFileName(Assert.Single(project.Result.GeneratedTrees).FilePath));
        Assert.Contains("Register<global::Acme.Store>(\"gentest1\", \"gentest12\");", project.Source, StringComparison.Ordinal);
        Assert.DoesNotContain("Hidden", project.Source, StringComparison.Ordinal);
        project.AssertCompiles();
    }

    [Fact]
    public async Task An_internal_provider_of_the_project_is_registered_when_its_module_starts()
    {
        GeneratorDriver driver = Project.Driver().RunGeneratorsAndUpdateCompilation(
            Project.Compile(Package.Replace("SCHEME", "gentest3", StringComparison.Ordinal)),
            out Compilation output,
            out _,
            TestContext.Current.CancellationToken);
        var project = new GeneratedProject((CSharpCompilation)output, [], driver.GetRunResult());
        Assert.Contains("Register<global::Acme.Hidden>(\"hidden\");", project.Source, StringComparison.Ordinal);
        System.Reflection.Assembly loaded = project.Load();
        System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(loaded.ManifestModule.ModuleHandle);

        // What a loader answers for a scheme that nobody serves names those that somebody does.
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        var unserved = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync("nobody://x", cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("gentest3, gentest32", unserved.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_with_an_unserved_scheme_is_a_warning_that_names_the_package()
    {
        Diagnostic diagnostic = Assert.Single(Project.GenerateWithoutChecks(S3Snapshot, S3Class).Diagnostics);
        Assert.Equal(("TW0013", DiagnosticSeverity.Warning), (diagnostic.Id, diagnostic.DefaultSeverity));
        Assert.Equal(
            "'M' loads from s3://, which no referenced package serves; run: dotnet add package TypedWeights.S3", diagnostic.GetMessage(null));
        Assert.Equal("File0.cs", diagnostic.Location.GetLineSpan().Path);
    }

    [Theory]
    [InlineData("s3")]
    public void A_referenced_package_that_serves_the_scheme_causes_no_warning(string scheme) =>
        Assert.Empty(Generate(Project.Compile(S3Class), scheme, S3Snapshot).Diagnostics);

    [Theory]
    [InlineData("hf://org/m")]
    [InlineData("models://story")]
    [InlineData("anyscale://m.safetensors")]
    public void A_built_in_scheme_or_a_possible_alias_causes_no_warning(string source) => Assert.Empty(Project.GenerateWithoutChecks(
        [Project.Snapshot(
            Snapshots.Text(Snapshots.Of(HeaderTraits.Small["tied"])).Replace("weights.safetensors", source, StringComparison.Ordinal), "M")],
        $"[TypedWeights.SafeTensorsModel(\"{source}\")] sealed partial class M;").Diagnostics);

    [Fact]
    public void An_irrelevant_edit_does_not_generate_the_registration_of_providers_again()
    {
        CSharpCompilation compilation = Project.Compile("class Unrelated;").AddReferences(Reference("gentest4"));
        CancellationToken token = TestContext.Current.CancellationToken;
        GeneratorDriver driver = Project.Driver().RunGenerators(compilation, token);
        driver = driver.RunGenerators(
            compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class More;", Project.ParseOptions, cancellationToken: token)), token);
        GeneratorRunResult result = Assert.Single(driver.GetRunResult().Results);
        IncrementalGeneratorRunStep step = Assert.Single(result.TrackedSteps[StepNames.Providers]);
        (object value, IncrementalStepRunReason reason) = Assert.Single(step.Outputs);
        Assert.Equal(IncrementalStepRunReason.Unchanged, reason);
        ObjectGraph.AssertHoldsNothingLive(value, StepNames.Providers);
        Assert.All(
            result.TrackedOutputSteps.SelectMany(pair => pair.Value).SelectMany(run => run.Outputs),
            output => Assert.True(output.Reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged));
    }

    private static GeneratedProject Generate(CSharpCompilation compilation, string scheme, AdditionalText[] snapshots)
    {
        GeneratorDriver driver = Project.Driver(snapshots).RunGeneratorsAndUpdateCompilation(
            compilation.AddReferences(Reference(scheme)), out Compilation output, out var diagnostics, TestContext.Current.CancellationToken);
        return new GeneratedProject((CSharpCompilation)output, diagnostics, driver.GetRunResult());
    }

    private static PortableExecutableReference Reference(string scheme)
    {
        using var image = new MemoryStream();
        CSharpCompilation package = Project.Compile(Package.Replace("SCHEME", scheme, StringComparison.Ordinal))
            .WithAssemblyName("Acme.Package").WithOptions(new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        Assert.Empty(package.Emit(image).Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        return MetadataReference.CreateFromImage(image.ToArray());
    }
}
