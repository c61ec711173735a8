using TypedWeights.Generators.Tests.Headers;

namespace TypedWeights.Generators.Tests.Generation;

/// <summary>What users write around the class must not change what generated code means.</summary>
public class HostileSurroundingsTests
{
    private const string Attribute = "[TypedWeights.SafeTensorsModel(\"weights.safetensors\")]";
    private const string GlobalAttribute = "[global::TypedWeights.SafeTensorsModel(\"weights.safetensors\")]";

    private static readonly string Snapshot = Snapshots.Text(Snapshots.Of(HeaderTraits.Small["heterogeneous_list"]));

    [Theory]
    [InlineData(
        "namespace Demo.System { class Y; } namespace Demo.TypedWeights.Binding { class X; } namespace Demo.TorchSharp { class torch; }")]
    [InlineData("namespace TypedWeights.X { class WeightList<T>; class WeightScope; class Task; }")]
    [InlineData(
        "namespace Demo { class Tensor; class Task; class String; class Func<T>; class torch; class WeightPath; class GeneratedCode; }")]
    [InlineData("class Tensor; class Task; class String; class Int32; class TypedWeightsX;")]
    public void Generated_code_ignores_similar_namespaces_and_types_of_the_user(string hostile) =>
        Project.Generate(
            Snapshot,
            $"namespace Demo {{ {GlobalAttribute} sealed partial class TinyModel; }}",
            "#pragma warning disable CS8981\n" + hostile);

    [Theory]
    [InlineData("sealed partial class A;")]
    [InlineData("partial class A { internal int Own { get; } = 1; static A() { } }")]
    [InlineData("/// <summary>A.</summary>\npublic partial class A;")]
    [InlineData("sealed partial class @class;")]
    [InlineData("sealed partial class @record;")]
    [InlineData("sealed partial class Größe;")]
    [InlineData("sealed partial class LayerWeights;")]
    [InlineData("sealed partial class Layers;")]
    [InlineData("sealed partial class A : B; class B { public int Layers = 1; public class LayerWeights; }")]
    [InlineData("sealed partial class A : System.IDisposable;")]
    public void Generated_code_compiles_for_classes_of_any_accessibility_and_name(string declaration)
    {
        bool renames = declaration.Contains(" Layers", StringComparison.Ordinal);
        string source = declaration.Contains('\n', StringComparison.Ordinal)
            ? declaration.Replace("\n", "\n" + Attribute, StringComparison.Ordinal)
            : Attribute + declaration;
        GeneratedProject project = Project.GenerateWithoutChecks([Project.Snapshot(Snapshot)], source);
        Assert.Equal(renames, project.Source.Contains("Layers_ { get; }", StringComparison.Ordinal));
        project.AssertCompiles();
    }

    [Theory]
    [InlineData("partial class O { [A] private sealed partial class M; }")]
    [InlineData("partial struct O { [A] internal sealed partial class M; }")]
    [InlineData("partial record O { [A] protected sealed partial class M; }")]
    [InlineData("partial record struct O { [A] public sealed partial class M; }")]
    [InlineData("partial interface I { [A] sealed partial class M; }")]
    [InlineData("static partial class O { static partial class @event { [A] internal sealed partial class M; } }")]
    [InlineData("namespace @namespace.X; partial class @in { [A] internal sealed partial class M; }")]
    public void Generated_code_compiles_for_nested_classes(string source) =>
        Project.Generate(Snapshot, "#pragma warning disable CS1591\n" + source.Replace("[A]", GlobalAttribute, StringComparison.Ordinal));

    [Fact]
    public void Classes_whose_names_differ_in_case_get_distinct_generated_files()
    {
        string both = $"{Attribute} sealed partial class Net; {Attribute} sealed partial class NET;";
        string source = $"{both} namespace N {{ {Attribute} sealed partial class Net; }}";
        GeneratedProject project = Project.GenerateWithoutChecks([Project.Snapshot(Snapshot)], source);
        IEnumerable<string> files = project.Result.GeneratedTrees.Select(tree => tree.FilePath);
        Assert.Equal(3, files.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        project.AssertCompiles();
    }

    [Theory]
    [InlineData("Story")]
    [InlineData("ModelWithAQuiteLongName")]
    [InlineData("Ein.Sehr.Langer.Namensraum.Mit.Vielen.Teilen.Und.Noch.Mehr.Teilen.Die.Niemand.Liest.Story")]
    [InlineData("模型模型模型模型.模型模型模型模型模型.模型模型模型模型模型模型.模型模型模型模型模型模型模型模型模型模型模型")]
    [InlineData("ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜ")]
    public void Names_of_generated_files_are_short_and_distinct_for_each_class(string name)
    {
        string[] parts = name.Split('.');
        string Declared(string outer) =>
            $"namespace {string.Join('.', parts[..^1].Prepend(outer))} {{ {GlobalAttribute} sealed partial class {parts[^1]}; }}";
        GeneratedProject project = Project.GenerateWithoutChecks([Project.Snapshot(Snapshot)], Declared("A"), Declared("B"));
        GeneratedProject again = Project.GenerateWithoutChecks([Project.Snapshot(Snapshot)], Declared("B"));

        string[] files = [.. project.Result.GeneratedTrees.Select(tree => Path.GetFileName(tree.FilePath))];
        Assert.Equal(2, files.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(files, file => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(file), 1, 64));
        Assert.Contains(Path.GetFileName(again.Result.GeneratedTrees[0].FilePath), files);
        Assert.Equal(name.Length < 45, files.All(file => file.Contains("." + name + ".", StringComparison.Ordinal)));
        project.AssertCompiles();
    }

    [Fact]
    public void The_generated_code_does_not_depend_on_the_culture()
    {
        string plain = Project.Generate(Snapshot).Source;
        var before = System.Globalization.CultureInfo.CurrentCulture;
        var hostile = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
        hostile.NumberFormat.NegativeSign = "~";
        hostile.NumberFormat.NumberGroupSeparator = "'";
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = hostile;
            Assert.Equal(plain, Project.Generate(Snapshot).Source);
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }
}
