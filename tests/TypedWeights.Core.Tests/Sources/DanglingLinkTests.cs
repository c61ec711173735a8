using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Sources;

/// <summary>Who lists the folder sees a link there: an error that said "no such file" would be read as a mistake.</summary>
public sealed class DanglingLinkTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_broken_link_to_a_file_is_reported_with_its_missing_target()
    {
        Link("m.safetensors", "../blobs/0123");
        await AssertRefusedAsync(_folder["m.safetensors"], "this is a link whose target is missing: ../blobs/0123 (");
    }

    [Fact]
    public async Task A_broken_chain_of_links_is_reported_with_its_last_target()
    {
        Link("first.safetensors", "second");
        Link("second", _folder["third"]);
        await AssertRefusedAsync(_folder["first.safetensors"], $"is missing: second ({_folder["third"].Replace('\\', '/')}).");
    }

    [Fact]
    public async Task A_broken_link_to_a_folder_on_the_path_is_reported_with_its_own_path()
    {
        Link("models", "unplugged-disk");
        await AssertRefusedAsync(_folder["models"], "this is a link whose target is missing: unplugged-disk (");
        await AssertRefusedAsync(
            Path.Combine(_folder["models"], "story", "m.safetensors"),
            $"{_folder["models"].Replace('\\', '/')} is a link whose target is missing: unplugged-disk (");
    }

    [Fact]
    public async Task A_broken_link_that_is_the_entry_of_a_folder_is_reported()
    {
        Directory.CreateDirectory(_folder["story"]);
        Link("story/model.safetensors", "../blobs/0123");
        await AssertRefusedAsync(_folder["story"], "story/model.safetensors: this is a link whose target is missing: ../blobs/0123 (");
    }

    [Fact]
    public async Task A_shard_that_is_a_broken_link_is_reported_as_a_link_and_not_as_a_missing_shard()
    {
        TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.F32("a", [1], 1)],
            ["2.safetensors"] = [TestFile.F32("b", [1], 2)],
        });
        File.Delete(_folder["2.safetensors"]);
        Link("2.safetensors", "blobs/2");
        await AssertRefusedAsync(_folder.Path, "2.safetensors: this is a link whose target is missing: blobs/2 (");
    }

    [Fact]
    public async Task A_link_that_leads_back_to_itself_is_reported()
    {
        Link("one.safetensors", "two");
        Link("two", "one.safetensors");
        await AssertRefusedAsync(_folder["one.safetensors"], "this is a symbolic link that leads back to itself through two.");
    }

    [Fact]
    public async Task A_link_to_an_existing_file_is_read_and_a_missing_file_is_not_reported_as_a_link()
    {
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        Link("l.safetensors", "m.safetensors");
        await using (Checkpoint checkpoint = await ReadAsync(_folder["l.safetensors"]))
        {
            Assert.Single(checkpoint.Files);
        }

        await AssertRefusedAsync(_folder["n.safetensors"], "there is no such file");
    }

    private static async Task<Checkpoint> ReadAsync(string path)
    {
        WeightUri uri = WeightUri.Parse(path);
        IWeightLocation location = await new FileProvider().LocateAsync(uri, TestContext.Current.CancellationToken);
        return await CheckpointReader.ReadAsync(uri, location, TestContext.Current.CancellationToken);
    }

    private static async Task AssertRefusedAsync(string path, string message)
    {
        var error = await Assert.ThrowsAsync<WeightSourceException>(() => ReadAsync(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private void Link(string name, string target)
    {
        try
        {
            File.CreateSymbolicLink(_folder[name], target);
        }
        catch (IOException e) when (OperatingSystem.IsWindows())
        {
            Assert.Skip("this user may not make links: " + e.Message);
        }
    }
}
