extern alias generators;

using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using TypedWeights.Generators.Tests.Headers;
using StepNames = generators::TypedWeights.Generators.StepNames;

namespace TypedWeights.Generators.Tests.Incrementality;

public class IncrementalityTests
{
    private const string First = "[TypedWeights.SafeTensorsModel(\"first.safetensors\")] sealed partial class First;";
    private const string Second = "[TypedWeights.SafeTensorsModel(\"second.safetensors\")] sealed partial class Second;";

    private static readonly string FirstSnapshot = Text("first.safetensors", HeaderTraits.Small["tied"]);
    private static readonly string SecondSnapshot = Text("second.safetensors", HeaderTraits.Small["sparse_list"]);

    public static TheoryData<string, string> Edits => new()
    {
        { "an unrelated file", "class Unrelated { int edited; }" },
        { "a comment before the class", "\n\n// moved down\n" + First },
        { "a comment in the class", First.Replace("sealed", "/* why */ sealed", StringComparison.Ordinal) },
        { "a member that no weight is named as", First.Replace(";", " { void Forward() { } }", StringComparison.Ordinal) },
        { "a base list", First.Replace("First;", "First : System.IDisposable;", StringComparison.Ordinal) },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void An_irrelevant_edit_generates_nothing_again(string edit, string source)
    {
        bool isFirst = source.Contains("SafeTensorsModel", StringComparison.Ordinal);
        CSharpCompilation compilation = Project.Compile(First, Second, "class Unrelated;");
        GeneratorDriver driver = Run(Driver(), compilation);
        SyntaxTree old = compilation.SyntaxTrees[isFirst ? 0 : 2];
        compilation = compilation.ReplaceSyntaxTree(old, old.WithChangedText(SourceText.From(source, Encoding.UTF8)));
        Assert.NotEmpty(edit);
        AssertNothingWritten(Run(driver, compilation));
    }

    [Theory]
    [InlineData("\r\n", "")]
    [InlineData("\n", "\uFEFF")]
    [InlineData("\r\n", "\uFEFF")]
    public void A_snapshot_with_other_line_ends_or_a_byte_order_mark_generates_nothing_again(string lineEnd, string mark)
    {
        CSharpCompilation compilation = Project.Compile(First, Second);
        AdditionalText[] files = Files();
        GeneratorDriver driver = Run(Project.Driver(files), compilation);
        string saved = mark + FirstSnapshot.Replace("\n", lineEnd, StringComparison.Ordinal);
        driver = driver.ReplaceAdditionalText(files[0], new ProjectFile(files[0].Path, saved));
        AssertNothingWritten(Run(driver, compilation));
    }

    [Fact]
    public void A_changed_snapshot_generates_only_its_own_class_again()
    {
        CSharpCompilation compilation = Project.Compile(First, Second);
        AdditionalText[] files = Files();
        GeneratorDriver driver = Run(Project.Driver(files), compilation);
        driver = driver.ReplaceAdditionalText(
            files[0], new ProjectFile(files[0].Path, Text("first.safetensors", HeaderTraits.Small["scalars"])));
        GeneratorRunResult result = Assert.Single(Run(driver, compilation).GetRunResult().Results);
        IEnumerable<IncrementalStepRunReason> models = Reasons(result, StepNames.Models);
        Assert.Equal([IncrementalStepRunReason.Modified, IncrementalStepRunReason.Cached], models);
        GeneratedSourceResult first = result.GeneratedSources.Single(
            source => source.HintName.StartsWith("First", StringComparison.Ordinal));
        Assert.Contains("num_batches_tracked", first.SourceText.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pipeline_models_hold_no_reference_to_the_compilation()
    {
        GeneratorRunResult result = Assert.Single(Run(Driver(), Project.Compile(First, Second)).GetRunResult().Results);
        string[] steps = [StepNames.Classes, StepNames.Snapshots, StepNames.Matches, StepNames.Models];
        foreach (string step in steps)
        {
            object[] values = [.. result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Value)];
            Assert.Equal(2, values.Length);
            Assert.All(values, value => ObjectGraph.AssertHoldsNothingLive(value, step));
        }
    }

    [Fact]
    public void A_placement_generates_its_class_again_when_it_changes_and_not_when_it_moves()
    {
        const string Placed = "[TypedWeights.PlaceWeights(\"*\", \"cuda:0\")]";
        CSharpCompilation compilation = Project.Compile(Placed + First, Second);
        GeneratorDriver driver = Run(Driver(), compilation);
        compilation = Edit(compilation, "// moved\n\n" + Placed + "\n" + First);
        driver = Run(driver, compilation);
        AssertNothingWritten(driver);
        Assert.All(
            Assert.Single(driver.GetRunResult().Results).TrackedSteps[StepNames.Models].SelectMany(run => run.Outputs),
            output => ObjectGraph.AssertHoldsNothingLive(output.Value, StepNames.Models));

        driver = Run(driver, Edit(compilation, Placed.Replace("cuda:0", "cuda:1", StringComparison.Ordinal) + First));

        GeneratorRunResult result = Assert.Single(driver.GetRunResult().Results);
        IncrementalStepRunReason[] models = [.. Reasons(result, StepNames.Models)];
        Assert.Equal(IncrementalStepRunReason.Modified, models[0]);
        Assert.Contains(models[1], Untouched);
        Assert.Contains("cuda:1", result.GeneratedSources[0].SourceText.ToString(), StringComparison.Ordinal);

        static CSharpCompilation Edit(CSharpCompilation compilation, string source) => compilation.ReplaceSyntaxTree(
            compilation.SyntaxTrees[0], compilation.SyntaxTrees[0].WithChangedText(SourceText.From(source, Encoding.UTF8)));
    }

    [Fact]
    public void Pipeline_models_are_equal_exactly_when_their_projects_are()
    {
        object[] once = Models(Files());
        object[] again = Models(Files());
        Assert.Equal(once, again);
        Assert.Equal(once.Select(model => model.GetHashCode()), again.Select(model => model.GetHashCode()));
        Assert.All(once.Zip(again), pair => Assert.NotSame(pair.First, pair.Second));
        object[] other = Models([Project.Snapshot(Text("first.safetensors", HeaderTraits.Small["scalars"]), "First"), Files()[1]]);
        Assert.NotEqual(once[0], other[0]);
        Assert.Equal(once[1], other[1]);
    }

    private static object[] Models(AdditionalText[] files) =>
    [
        .. Assert.Single(Run(Project.Driver(files), Project.Compile(First, Second)).GetRunResult().Results)
            .TrackedSteps[StepNames.Models].SelectMany(run => run.Outputs).Select(output => output.Value),
    ];

    private static AdditionalText[] Files() => [Project.Snapshot(FirstSnapshot, "First"), Project.Snapshot(SecondSnapshot, "Second")];

    private static GeneratorDriver Driver() => Project.Driver(Files());

    private static GeneratorDriver Run(GeneratorDriver driver, CSharpCompilation compilation) =>
        driver.RunGenerators(compilation, TestContext.Current.CancellationToken);

    private static void AssertNothingWritten(GeneratorDriver driver)
    {
        GeneratorRunResult result = Assert.Single(driver.GetRunResult().Results);
        Assert.Equal(2, result.GeneratedSources.Length);
        Assert.All(Reasons(result, StepNames.Models), reason => Assert.Contains(reason, Untouched));
        Assert.All(
            result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(run => run.Outputs).Where(
                output => output.Value is not null),
            output => Assert.Contains(output.Reason, Untouched));
    }

    private static readonly IncrementalStepRunReason[] Untouched = [IncrementalStepRunReason.Cached, IncrementalStepRunReason.Unchanged];

    private static IEnumerable<IncrementalStepRunReason> Reasons(GeneratorRunResult result, string step) =>
        result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason);

    private static string Text(string source, byte[] header) => Snapshots.Text(Snapshots.Of(header, "Model", source));
}
