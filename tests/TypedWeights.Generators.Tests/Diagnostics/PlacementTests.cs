using Microsoft.CodeAnalysis;

namespace TypedWeights.Generators.Tests.Diagnostics;

/// <summary><c>[PlaceWeights]</c>: checked by the compiler, at its own place.</summary>
public class PlacementTests
{
    private const string Attribute = "[TypedWeights.SafeTensorsModel(\"weights.safetensors\")]\n";

    private static readonly string Layers = Snapshots.Text(Snapshots.Of(Snapshots.Header(
        [
            ("lm_head.weight", "F32", [2]), ("model.layers.0.w", "F32", [2]), ("model.layers.1.w", "F32", [2]), ("model.layers.2.w", "F32", [2]),
        ],
        ("model.embed.weight", "lm_head.weight"))));

    [Theory]
    [InlineData(
        "model.layer.{0..2}.*",
        "cpu",
        "TW0010",
        "No weight of 'M' is placed by 'model.layer.{0..2}.*': the weights are "
            + "lm_head.weight, model.embed.weight, model.layers.{0..2}.w")]
    [InlineData("model.{", "cpu", "TW0010", "No weight of 'M' is placed by 'model.{': it cannot be read, a number is missing or too large")]
    [InlineData("", "cpu", "TW0010", "No weight of 'M' is placed by '': it cannot be read, it is empty")]
    [InlineData(
        "lm_head.*",
        "gpu:0",
        "TW0012",
        "'gpu:0' is not a device; a device is cpu, cuda, hip, mps, xla, or one with a number, such as cuda:1")]
    [InlineData(
        "lm_head.*",
        "cuda:",
        "TW0012",
        "'cuda:' is not a device; a device is cpu, cuda, hip, mps, xla, or one with a number, such as cuda:1")]
    public void An_invalid_placement_is_an_error_at_its_own_attribute(string pattern, string device, string id, string message)
    {
        Diagnostic diagnostic = Single($"{Attribute}[TypedWeights.PlaceWeights(\"model.*\", \"cuda:0\")]\n"
            + $"[TypedWeights.PlaceWeights(\"{pattern}\", \"{device}\")]\nsealed partial class M;");

        Assert.Equal((id, DiagnosticSeverity.Error), (diagnostic.Id, diagnostic.Severity));
        Assert.Equal(message, diagnostic.GetMessage(null));
        Assert.Equal(new Microsoft.CodeAnalysis.Text.LinePosition(2, 1), diagnostic.Location.GetLineSpan().StartLinePosition);
    }

    [Theory]
    [InlineData(
        "model.layers.{2..9}.*",
        "'model.layers.{2..9}.*' would put 'model.layers.2.w' on cuda:1, and 'model.layers.{0..2}.*' puts it on cuda:0")]
    [InlineData("*", "'*' would put 'model.layers.0.w' on cuda:1, and 'model.layers.{0..2}.*' puts it on cuda:0")]
    public void Two_devices_for_one_weight_are_an_error(string pattern, string message)
    {
        Diagnostic diagnostic = Single($"{Attribute}[TypedWeights.PlaceWeights(\"model.layers.{{0..2}}.*\", \"cuda:0\")]\n"
            + $"[TypedWeights.PlaceWeights(\"{pattern}\", \"cuda:1\")]\nsealed partial class M;");

        Assert.Equal(("TW0011", message), (diagnostic.Id, diagnostic.GetMessage(null)));
    }

    [Fact]
    public void Two_spellings_of_one_device_are_no_conflict() => Assert.Empty(Project.GenerateWithoutChecks(
        [Project.Snapshot(Layers)],
        $"{Attribute}[TypedWeights.PlaceWeights(\"model.layers.*\", \"cuda\")]\n"
            + "[TypedWeights.PlaceWeights(\"model.layers.{0..1}.w\", \"cuda:0\")]\nsealed partial class M;").Diagnostics);

    [Fact]
    public void Two_devices_for_the_names_of_a_tied_weight_are_an_error()
    {
        Diagnostic diagnostic = Single($"{Attribute}[TypedWeights.PlaceWeights(\"lm_head.*\", \"cuda:0\")]\n"
            + "[TypedWeights.PlaceWeights(\"model.embed.*\", \"cpu\")]\nsealed partial class M;");

        Assert.Equal("TW0011", diagnostic.Id);
        Assert.Contains("'model.embed.weight' on cpu", diagnostic.GetMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_placement_attribute_on_another_part_of_the_class_is_checked()
    {
        GeneratedProject project = Project.GenerateWithoutChecks(
            [Project.Snapshot(Layers)], Attribute + "sealed partial class M;", "[TypedWeights.PlaceWeights(\"x\", \"cpu\")] partial class M;");

        Assert.Equal("File1.cs", Assert.Single(project.Diagnostics).Location.GetLineSpan().Path);
    }

    [Fact]
    public void A_pragma_suppresses_the_diagnostic_of_a_placement()
    {
        GeneratedProject project = Project.GenerateWithoutChecks(
            [Project.Snapshot(Layers)],
            $"{Attribute}\n#pragma warning disable TW0010\n[TypedWeights.PlaceWeights(\"x\", \"cpu\")]\n"
                + "#pragma warning restore TW0010\nsealed partial class M;");

        Assert.DoesNotContain(project.Diagnostics, diagnostic => !diagnostic.IsSuppressed);
    }

    [Fact]
    public void Generated_code_contains_the_placements_and_documents_the_device_of_each_weight()
    {
        GeneratedProject project = Project.Generate(
            Layers,
            """
            #pragma warning disable CS1591
            [TypedWeights.SafeTensorsModel("weights.safetensors")]
            [TypedWeights.PlaceWeights("model.layers.{0..1}.*", "cuda:0")]
            [TypedWeights.PlaceWeights("model.layers.{2}.*", "cuda:1")]
            [TypedWeights.PlaceWeights("model.embed.*", "cuda:0")]
            public sealed partial class M;
            """);

        Assert.Contains(".Put(\"model.layers.{0..1}.*\", \"cuda:0\")", project.Source, StringComparison.Ordinal);
        Assert.Contains("/// <para>On cuda:0: model.layers.{0,1}.w</para>", project.Source, StringComparison.Ordinal);
        Assert.Contains("/// <para>On cuda:1: model.layers.2.w</para>", project.Source, StringComparison.Ordinal);
        Assert.Equal(2, project.Source.Split("/// <para>On cuda:0</para>").Length - 1);
    }

    private static Diagnostic Single(string source) =>
        Assert.Single(Project.GenerateWithoutChecks([Project.Snapshot(Layers)], source).Diagnostics);
}
