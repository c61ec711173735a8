using System.Text;
using TypedWeights.Caching;
using TypedWeights.Downloads;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>What this user may not see is not said to be absent, and what they may not remove not to be in use.</summary>
public sealed class DeniedTests : IDisposable
{
    private const UnixFileMode None = UnixFileMode.None;
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Listed = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Searched = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly TempFolder _folder = new();

    public DeniedTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "users and modes are those of Linux");
        Set(".", Own | Listed | Searched);
        foreach (string name in (string[])["closed", "shards", "cache"])
        {
            Directory.CreateDirectory(_folder[name]);
            Set(name, Own | Listed | Searched);
        }

        byte[] model = TestFile.Bytes([TestFile.Noise("x", "U8", 8, 100)]);
        File.WriteAllBytes(_folder["model.safetensors"], model);
        File.WriteAllBytes(_folder["closed/model.safetensors"], model);
        File.WriteAllBytes(_folder["shards/1.safetensors"], model);
        File.WriteAllText(_folder["shards/model.safetensors.index.json"], """{"weight_map":{"x":"1.safetensors"}}""");
    }

    public void Dispose()
    {
        Open(_folder.Path);
        _folder.Dispose();

        // From above, as what is in a folder that may not be read cannot be listed.
        void Open(string folder)
        {
            Set(folder, Own);
            foreach (string inner in Directory.GetDirectories(folder).Where(inner => new DirectoryInfo(inner).LinkTarget is null))
            {
                Open(inner);
            }
        }
    }

    [Theory]
    [InlineData("inspect closed/model.safetensors", 1)]
    [InlineData("inspect closed/absent.safetensors", 1)]
    [InlineData("inspect closed/below", 1)]
    [InlineData("plan closed/model.safetensors", 2)]
    [InlineData("bench closed/model.safetensors", 2)]
    [InlineData("snapshot closed/model.safetensors", 2)]
    [InlineData("snapshot model.safetensors -o closed/a.weights.json", 1)]
    [InlineData("verify closed/a.weights.json", 1)]
    [InlineData("verify closed/below", 1)]
    [InlineData("download closed/model.safetensors copy.safetensors", 2)]
    [InlineData("download model.safetensors closed/copy.safetensors", 1)]
    [InlineData("download model.safetensors closed/below/copy.safetensors", 1)]
    [InlineData("download shards closed/below", 1)]
    [InlineData("cache ls --folder closed/cache", 1)]
    [InlineData("cache verify --folder closed/cache", 1)]
    [InlineData("cache clear --folder closed/cache", 1)]
    public async Task A_folder_on_the_path_without_execute_permission_is_named_in_the_error(string command, int code)
    {
        Set("closed", Listed);

        await RunAsync(command, code, $"this user may not search the folder {_folder["closed"]} (execute permission is missing)");
    }

    [Fact]
    public async Task A_download_that_may_not_replace_a_foreign_journal_leaves_no_file_and_names_the_journal()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can leave a file that this user may not remove");
        Directory.CreateDirectory(_folder["sticky"]);
        Set("sticky", (UnixFileMode)0x3ff);
        await File.WriteAllTextAsync(_folder["sticky/m.safetensors.partial.jsonl"], "another's", TestContext.Current.CancellationToken);

        await RunAsync("download model.safetensors sticky/m.safetensors", 1, "sticky/m.safetensors.partial.jsonl");

        Assert.Equal([_folder["sticky/m.safetensors.partial.jsonl"]], Directory.GetFileSystemEntries(_folder["sticky"]));
    }

    [Theory]
    [InlineData("inspect file.safetensors", 1)]
    [InlineData("plan file.safetensors", 2)]
    [InlineData("inspect linked", 1)]
    [InlineData("inspect model.safetensors.index.json", 1)]
    [InlineData("inspect folder", 1)]
    [InlineData("inspect folder/model.safetensors", 1)]
    [InlineData("snapshot model.safetensors -o a.weights.json", 1)]
    [InlineData("snapshot model.safetensors -o folder/a.weights.json", 1)]
    [InlineData("snapshot model.safetensors", 1)]
    [InlineData("verify a.weights.json", 1)]
    [InlineData("verify", 1)]
    [InlineData("download model.safetensors file.safetensors", 1)]
    [InlineData("download model.safetensors folder/model.safetensors", 1)]
    [InlineData("cache ls --folder folder", 1)]
    [InlineData("cache clear --folder folder", 1)]
    public async Task A_link_that_leads_through_a_folder_without_execute_permission_is_not_called_broken(string command, int code)
    {
        Directory.CreateDirectory(_folder["closed/below"]);
        Directory.CreateDirectory(_folder["linked"]);
        File.CreateSymbolicLink(_folder["file.safetensors"], _folder["closed/below/model.safetensors"]);
        File.CreateSymbolicLink(_folder["folder"], "closed/below");
        File.CreateSymbolicLink(_folder["weights"], "closed/below");
        File.CreateSymbolicLink(_folder["a.weights.json"], "closed/below/a.weights.json");
        File.CreateSymbolicLink(_folder["model.safetensors.index.json"], "closed/below/model.safetensors.index.json");
        File.CreateSymbolicLink(_folder["linked/1.safetensors"], "../closed/below/1.safetensors");
        await File.WriteAllTextAsync(
            _folder["linked/model.safetensors.index.json"], """{"weight_map":{"x":"1.safetensors"}}""", TestContext.Current.CancellationToken);
        Set("closed", Listed);

        ToolRun run = await RunAsync(command, code, $"this user may not search the folder {_folder["closed"]} (execute permission is missing)");

        Assert.DoesNotContain("missing:", run.All, Ordinal);
    }

    [Theory]
    [InlineData("ls")]
    [InlineData("verify")]
    [InlineData("clear")]
    [InlineData("prune --size 0B")]
    public async Task A_cache_folder_that_is_a_circular_link_is_not_reported_as_denied(string command)
    {
        File.CreateSymbolicLink(_folder["loop"], "loop");

        ToolRun run = await RunAsync($"cache {command} --folder loop", 1, "loop: this is a symbolic link that leads back to itself through loop.");

        Assert.DoesNotContain("permission", run.Error, Ordinal);
    }

    [Theory]
    [InlineData("cache ls --folder pipe")]
    [InlineData("cache ls --folder model.safetensors")]
    [InlineData("snapshot model.safetensors -o pipe/a.weights.json")]
    [InlineData("snapshot model.safetensors -o model.safetensors/a.weights.json")]
    [InlineData("download model.safetensors pipe/copy.safetensors")]
    [InlineData("download model.safetensors model.safetensors/copy.safetensors")]
    public async Task A_pipe_or_file_that_is_used_as_a_folder_is_refused_by_name(string command)
    {
        OddFile.Make(OddFile.Pipe, _folder["pipe"], _folder["victim"]);
        string[] arguments = command.Split(' ');
        string what = arguments[^1].Split('/')[0];

        ToolRun run = await ToolRun.UnprivilegedAsync(_folder.Path, arguments);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"{_folder[what]} is not a folder", run.Error, Ordinal);
    }

    [Fact]
    public async Task A_destination_folder_that_is_a_broken_link_is_reported_as_a_broken_link()
    {
        File.CreateSymbolicLink(_folder["gone"], "no/such/folder");

        ToolRun run = await ToolRun.UnprivilegedAsync(_folder.Path, "download", "model.safetensors", "gone/copy.safetensors");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"{_folder["gone"]} is a link whose target is missing: no/such/folder (", run.Error, Ordinal);
    }

    [Fact]
    public async Task A_snapshot_over_an_unreadable_snapshot_is_an_error_that_names_the_read_permission()
    {
        await File.WriteAllTextAsync(_folder["closed/a.weights.json"], "{}", TestContext.Current.CancellationToken);
        Set("closed/a.weights.json", None);
        Set("closed", (UnixFileMode)0x1ff);

        await RunAsync("snapshot model.safetensors -o closed/a.weights.json", 1, "this user may not read it (read permission is missing)");
    }

    [Theory]
    [InlineData("inspect closed", 1)]
    [InlineData("plan closed", 2)]
    [InlineData("download closed copy.safetensors", 2)]
    [InlineData("verify closed", 1)]
    [InlineData("cache ls --folder closed", 1)]
    [InlineData("cache ls --json --folder closed", 1)]
    [InlineData("cache verify --folder closed", 1)]
    [InlineData("cache prune --size 0B --folder closed", 1)]
    [InlineData("cache clear --folder closed", 1)]
    public async Task A_folder_that_may_not_be_listed_is_named_in_the_error(string command, int code)
    {
        Set("closed", Searched);

        await RunAsync(command, code, $"this user may not list the folder {_folder["closed"]} (read permission is missing)");
    }

    [Theory]
    [InlineData("cache ls --folder closed")]
    [InlineData("cache verify --folder closed")]
    [InlineData("cache clear --folder closed")]
    public async Task A_cache_folder_without_execute_permission_is_not_reported_as_empty(string command)
    {
        Set("closed", Listed);

        await RunAsync(command, 1, $"this user may not search the folder {_folder["closed"]} (execute permission is missing)");
    }

    [Theory]
    [InlineData("inspect model.safetensors", 1, "model.safetensors: this user may not read it (read permission is missing)")]
    [InlineData("inspect link.safetensors", 1, "/model.safetensors (read permission is missing)")]
    [InlineData("download model.safetensors copy.safetensors", 2, "model.safetensors: this user may not read it (read permission is missing)")]
    [InlineData("inspect shards", 1, "shards/1.safetensors: this user may not read it (read permission is missing)")]
    [InlineData("download shards copy", 2, "shards/1.safetensors: this user may not read it (read permission is missing)")]
    [InlineData("verify a.weights.json", 1, "the snapshot cannot be read: this user may not read it (read permission is missing)")]
    public async Task A_file_that_may_not_be_read_is_named_in_the_error(string command, int code, string says)
    {
        await File.WriteAllTextAsync(_folder["a.weights.json"], "{}", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(_folder["link.safetensors"], "model.safetensors");
        Set("model.safetensors", None);
        Set("shards/1.safetensors", None);
        Set("a.weights.json", None);

        await RunAsync(command, code, says);
    }

    [Theory]
    [InlineData("download model.safetensors closed/copy.safetensors", "closed")]
    [InlineData("download model.safetensors closed", "closed")]
    [InlineData("download shards closed/below", "closed")]
    [InlineData("snapshot model.safetensors -o closed/a.weights.json", "closed")]
    [InlineData("snapshot model.safetensors -o closed/below/a.weights.json", "closed")]
    public async Task A_folder_that_may_not_be_written_to_is_named_in_the_error(string command, string folder)
    {
        Set("closed", Listed | Searched);

        await RunAsync(command, 1, $"this user may not write to the folder {_folder[folder]} (write permission is missing)");
    }

    [Fact]
    public async Task A_partial_file_that_may_not_be_written_to_is_named_in_the_error()
    {
        const string Name = "copy.safetensors.partial";

        // As an interrupted download of another user leaves them, in a folder that everybody may write to.
        await File.WriteAllTextAsync(_folder["closed/" + Name], "theirs", TestContext.Current.CancellationToken);
        Set("closed/" + Name, Listed);
        Set("closed", (UnixFileMode)0x1ff);

        ToolRun run = await ToolRun.UnprivilegedAsync(_folder.Path, "download", "model.safetensors", "closed/copy.safetensors");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(_folder["closed/" + Name], run.Error, Ordinal);
        Assert.Equal("theirs", await File.ReadAllTextAsync(_folder["closed/" + Name], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("clear")]
    [InlineData("prune --size 0B")]
    [InlineData("prune --size 1kB")]
    public async Task A_copy_that_may_not_be_removed_from_the_cache_is_named_with_the_reason(string command)
    {
        string path = await PutAsync();
        Set("cache", Listed | Searched);

        ToolRun run = await RunAsync($"cache {command} --folder cache", 1, $"error: {path} was not removed: this user may not write to the folder ");

        Assert.Equal("removed 0 files, 0 bytes; 3.00 kB left", Assert.Single(run.OutLines));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task A_cache_prune_with_nothing_to_remove_succeeds_in_a_read_only_folder()
    {
        await PutAsync();
        Set("cache", Listed | Searched);

        ToolRun run = await ToolRun.UnprivilegedAsync(_folder.Path, "cache", "prune", "--size", "3kB", "--folder", "cache");

        Assert.True(run.ExitCode == 0, run.All);
    }

    [Fact]
    public async Task A_copy_in_the_cache_that_may_not_be_read_does_not_hide_the_other_copies()
    {
        string secret = await PutAsync("https://host/secret.safetensors");
        await PutAsync("https://host/open.safetensors");
        Set(secret, None);
        Set(PartialFile.JournalOf(secret), None);

        ToolRun list = await ToolRun.UnprivilegedAsync(_folder.Path, "cache", "ls", "--folder", "cache");
        ToolRun verify = await ToolRun.UnprivilegedAsync(_folder.Path, "cache", "verify", "--folder", "cache");

        Assert.Equal((1, 1), (list.ExitCode, verify.ExitCode));
        Assert.Contains("https://host/open.safetensors  3.00 kB, used ", list.Out, Ordinal);
        Assert.Contains("2 files, 6.00 kB", list.Out, Ordinal);
        Assert.Contains($"error: this user may not read {PartialFile.JournalOf(secret)} (read permission is missing).", list.Error, Ordinal);
        Assert.Contains("https://host/open.safetensors  3.00 kB: sound", verify.Out, Ordinal);
        Assert.Contains($"error: {secret}: this user may not read it (read permission is missing).", verify.Error, Ordinal);
    }

    [Theory]
    [InlineData("closed", Listed, "search the folder {0} ")]
    [InlineData("closed", Searched, "list the folder {0} ")]
    [InlineData("closed/models--org--net/refs/main", None, "read {0} ")]
    [InlineData("closed/models--org--net/snapshots/0123456789abcdef0123456789abcdef01234567", Searched, "list the folder {0} ")]
    [InlineData("closed/models--org--net/snapshots/0123456789abcdef0123456789abcdef01234567/model.safetensors.index.json", None, "read {0} ")]
    public async Task An_unreadable_hub_cache_is_reported_as_denied_and_not_as_missing_the_model(string what, UnixFileMode mode, string says)
    {
        const string Commit = "0123456789abcdef0123456789abcdef01234567";
        string repository = _folder["closed/models--org--net"];
        Directory.CreateDirectory(repository + "/refs");
        Directory.CreateDirectory($"{repository}/snapshots/{Commit}");
        await File.WriteAllTextAsync(repository + "/refs/main", Commit, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            $"{repository}/snapshots/{Commit}/model.safetensors.index.json",
            """{"weight_map":{"x":"1.safetensors"}}""",
            TestContext.Current.CancellationToken);
        Set(what, mode);

        ToolRun run = await ToolRun.UnprivilegedAsync(
            _folder.Path, ["HF_HUB_OFFLINE=1", "HF_HUB_CACHE=" + _folder["closed"]], ["inspect", "hf://org/net"]);

        Assert.Contains("this user may not ", run.Error, Ordinal);
        Assert.Contains(string.Format(System.Globalization.CultureInfo.InvariantCulture, says, _folder[what]), run.Error, Ordinal);
        Assert.DoesNotContain("does not hold", run.Error, Ordinal);
    }

    [Theory]
    [InlineData("closed/models--org--net/snapshots/0123456789abcdef0123456789abcdef01234567", Searched)]
    [InlineData("closed/models--org--net/snapshots/0123456789abcdef0123456789abcdef01234567/model.safetensors", None)]
    [InlineData("closed/models--org--net", None)]
    public async Task A_file_that_may_not_be_read_from_the_hub_cache_is_requested_from_the_hub(string what, UnixFileMode mode)
    {
        const string Commit = "0123456789abcdef0123456789abcdef01234567";
        string repository = _folder["closed/models--org--net"];
        Directory.CreateDirectory(repository + "/refs");
        Directory.CreateDirectory($"{repository}/snapshots/{Commit}");
        await File.WriteAllTextAsync(repository + "/refs/main", Commit, TestContext.Current.CancellationToken);
        File.Copy(_folder["model.safetensors"], $"{repository}/snapshots/{Commit}/model.safetensors");
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/api/models/org/net/revision/main"] =
            Encoding.UTF8.GetBytes($$"""{"sha": "{{Commit}}", "siblings": [{"rfilename": "model.safetensors"}]}""");
        server.Files[$"/org/net/resolve/{Commit}/model.safetensors"] =
            await File.ReadAllBytesAsync(_folder["model.safetensors"], TestContext.Current.CancellationToken);
        Set(what, mode);

        ToolRun run = await ToolRun.UnprivilegedAsync(
            _folder.Path, ["HF_ENDPOINT=" + server.Address, "HF_HUB_CACHE=" + _folder["closed"]], ["inspect", "hf://org/net"]);

        Set(what, Own);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.NotEmpty(server.Requests);
    }

    [Theory]
    [InlineData("closed/token", None, "read it (read permission is missing)")]
    [InlineData("closed", Listed, "search the folder {0} (execute permission is missing)")]
    public async Task An_unreadable_token_file_is_named_if_the_hub_requires_a_token(string what, UnixFileMode mode, string says)
    {
        await File.WriteAllTextAsync(_folder["closed/token"], "hf_secret", TestContext.Current.CancellationToken);
        await using FileServer server = await FileServer.StartAsync();
        string code = "";
        server.Intercept = context =>
        {
            context.Response.StatusCode = code is "GatedRepo" ? 403 : 401;
            context.Response.Headers["X-Error-Code"] = code;
            return Task.FromResult(true);
        };
        Set(what, mode);
        string reason = string.Format(System.Globalization.CultureInfo.InvariantCulture, says, _folder[what]);

        foreach (string given in (string[])["", "RepoNotFound", "GatedRepo"])
        {
            code = given;
            ToolRun run = await ToolRun.UnprivilegedAsync(
                _folder.Path, ["HF_ENDPOINT=" + server.Address, "HF_TOKEN_PATH=" + _folder["closed/token"]], ["inspect", "hf://org/net"]);

            Assert.Equal(1, run.ExitCode);
            Assert.Contains(
                $"The token file {_folder["closed/token"]} (HF_TOKEN_PATH) was not read: this user may not {reason}.", run.Error, Ordinal);
        }
    }

    private async Task<ToolRun> RunAsync(string command, int code, string says)
    {
        ToolRun run = await ToolRun.UnprivilegedAsync(_folder.Path, command.Split(' '));
        Assert.True(run.ExitCode == code, $"{run.ExitCode}: {run.All}");
        Assert.Contains(says, run.Error, Ordinal);
        Assert.DoesNotContain("no such", run.All, Ordinal);
        Assert.DoesNotContain("in use", run.All, Ordinal);
        return run;
    }

    private void Set(string name, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder[name], mode);
        }
    }

    // Readable by everybody, unlike what a load leaves.
    private async Task<string> PutAsync(string source = "https://host/a.safetensors")
    {
        var identity = new SourceIdentity(source, 3000, "\"v\"");
        string target = new CacheFolder(_folder["cache"]).PathOf(identity);
        await using (PartialFile file = await PartialFile.OpenCopyAsync(
            target, identity, keepsOthersOut: true, TestContext.Current.CancellationToken))
        {
            await file.WriteAsync(0, new byte[3000], TestContext.Current.CancellationToken);
        }

        Set(target, Own | Listed);
        Set(PartialFile.JournalOf(target), Own | Listed);
        return target;
    }
}
