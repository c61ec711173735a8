extern alias generators;

using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace TypedWeights.Generators.Tests;

/// <summary>A project of a user: sources, snapshots, the compiler as strict as it goes.</summary>
internal static class Project
{
    public const string UserClass = """
        namespace Demo
        {
            /// <summary>The user's class.</summary>
            [TypedWeights.SafeTensorsModel("weights.safetensors")]
            public sealed partial class TinyModel;
        }
        """;

    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest, DocumentationMode.Diagnose);

    // What a user's project refers to is what this one does.
    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("TypedWeights.Generators", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static CSharpCompilation Compile(params string[] sources) => CSharpCompilation.Create(
        "User",
        sources.Select(
            (source, index) => CSharpSyntaxTree.ParseText(SourceText.From(source, Encoding.UTF8), ParseOptions, $"File{index}.cs")),
        References,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            nullableContextOptions: NullableContextOptions.Enable,
            generalDiagnosticOption: ReportDiagnostic.Error,
            warningLevel: 9999));

    public static GeneratorDriver Driver(params AdditionalText[] files) => CSharpGeneratorDriver.Create(
        [new generators::TypedWeights.Generators.SafeTensorsModelGenerator().AsSourceGenerator()],
        files,
        ParseOptions,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    public static AdditionalText Snapshot(string json, string name = "Model") =>
        new ProjectFile($"/project/weights/{name}.weights.json", json);

    /// <summary>Generates, and asserts that what the user then compiles has no error and no warning.</summary>
    public static GeneratedProject Generate(string snapshot, params string[] sources)
    {
        GeneratedProject project = GenerateWithoutChecks([Snapshot(snapshot)], sources.Length == 0 ? [UserClass] : sources);
        Assert.Empty(project.Diagnostics.Where(diagnostic => diagnostic.Severity > DiagnosticSeverity.Info));
        project.AssertCompiles();
        return project;
    }

    public static GeneratedProject GenerateWithoutChecks(AdditionalText[] snapshots, params string[] sources)
    {
        GeneratorDriver driver = Driver(snapshots)
            .RunGeneratorsAndUpdateCompilation(Compile(sources), out Compilation output, out ImmutableArray<Diagnostic> diagnostics);
        return new GeneratedProject((CSharpCompilation)output, diagnostics, driver.GetRunResult());
    }
}
