namespace TypedWeights.Architecture.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void No_folder_of_the_libraries_uses_a_later_one() =>
        Assert.Equal("", LayerCheck.Report(SourceTree.Of(SourceFiles.In("src"), "TYPEDWEIGHTS_CORE").Uses()));

    [Fact]
    public void No_folder_of_the_generator_uses_a_later_one() =>
        Assert.Equal("", LayerCheck.Report(SourceTree.Of(SourceFiles.In("generators", "src/Shared")).Uses()));

    [Fact]
    public void Every_folder_has_its_place_in_the_list_and_every_place_its_folder()
    {
        IEnumerable<string> folders = SourceFiles.In("src", "generators").Select(static file => LayerCheck.PlaceOf(file.Path))
            .Where(static place => place.Folder != "." || Layers.Of.GetValueOrDefault(place.Project, []).Contains("."))
            .Select(static place => $"{place.Project}/{place.Folder}").Distinct();
        IEnumerable<string> listed = Layers.Of.SelectMany(static project => project.Value.Select(folder => $"{project.Key}/{folder}"));
        Assert.Equal(listed.Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_architecture_page_shows_the_same_list() =>
        Assert.Contains(Layers.Text, File.ReadAllText(Path.Combine(SourceFiles.Root, "docs/architecture.md")), StringComparison.Ordinal);

    [Fact]
    public void A_use_of_a_later_folder_is_reported_with_its_file_and_line()
    {
        var tree = SourceTree.Of(
        [
            ("src/TypedWeights.Core/Errors/Low.cs", "namespace A;\nclass Low\n{\n    object Up() => new B.High();\n}\n"),
            ("src/TypedWeights.Core/Opening/High.cs", "namespace B;\nclass High\n{\n    A.Low Down() => null!;\n}\n"),
        ]);
        Assert.Equal(
            "src/TypedWeights.Core/Errors/Low.cs(4): TypedWeights.Core/Errors uses High of Opening, which is a later layer.",
            LayerCheck.Report(tree.Uses()));
    }
}
