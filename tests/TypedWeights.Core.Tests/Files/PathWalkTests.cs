using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class PathWalkTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _root;

    public PathWalkTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        _root = PathWalk.EndOf(_folder.Path).Last.Path;
        Directory.CreateDirectory(_folder["a/b"]);
        File.WriteAllText(_folder["a/b/file"], "x");
    }

    public void Dispose() => _folder?.Dispose();

    [Theory]
    [InlineData(".", "a/b")]
    [InlineData("..", "a")]
    [InlineData("../..", "")]
    [InlineData("file", "a/b/file")]
    [InlineData("../b/./file", "a/b/file")]
    public void A_link_ends_at_what_its_target_names(string target, string end)
    {
        File.CreateSymbolicLink(_folder["a/b/link"], target);

        PathWalk.End found = PathWalk.EndOf(_folder["a/b/link"]);

        Assert.True(found is { Exists: true, IsLink: true, HasFolder: true, IsCircle: false });
        Assert.Equal(Path.TrimEndingDirectorySeparator(Path.Join(_root, end)), found.Path);
        Assert.Equal(end.EndsWith("file", StringComparison.Ordinal), found.Facts.IsFile);
    }

    [Theory]
    [InlineData("a/b/file", true, true)]
    [InlineData("a/b/absent", false, true)]
    [InlineData("a/absent/file", false, false)]
    [InlineData("a/b/file/below", false, false)]
    public void A_path_without_a_link_ends_at_itself(string name, bool exists, bool hasFolder)
    {
        PathWalk.End found = PathWalk.EndOf(_folder[name]);

        Assert.Equal(Path.GetFullPath(_folder[name]), found.Path);
        Assert.Equal((exists, hasFolder, false), (found.Exists, found.HasFolder, found.IsLink));
    }

    [Fact]
    public void A_circle_of_links_ends_the_walk_and_does_not_exist()
    {
        File.CreateSymbolicLink(_folder["one"], "two");
        File.CreateSymbolicLink(_folder["two"], "one");

        Assert.True(PathWalk.EndOf(_folder["one"]) is { Exists: false, IsCircle: true });
        Assert.True(PathWalk.EndOf(_folder["one/file"]) is { Exists: false, HasFolder: false, IsCircle: false });
    }
}
