using System.Text.Json;
using TypedWeights.Caching;
using TypedWeights.Downloads;
using TypedWeights.Tests.Support;

namespace TypedWeights.Tests.Commands;

public sealed class CacheCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Cache => _folder["cache"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cache_ls_lists_the_copies_with_the_most_recently_used_first()
    {
        await PutAsync("https://host/old.safetensors", 3000, 3000, hours: 2);
        await PutAsync("https://host/some.safetensors", 5000, 2000, hours: 1);

        ToolRun run = await RunAsync("ls");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("https://host/some.safetensors  2.00 kB of 5.00 kB, used ", run.OutLines[0], StringComparison.Ordinal);
        Assert.StartsWith("https://host/old.safetensors  3.00 kB, used ", run.OutLines[1], StringComparison.Ordinal);
        Assert.Equal("2 files, 5.00 kB", run.OutLines[2]);

        run = await RunAsync("ls", "--json");
        JsonElement first = JsonDocument.Parse(run.OutLines[0]).RootElement;
        Assert.Equal("https://host/some.safetensors", first.GetProperty("source").GetString());
        Assert.Equal("\"v\"", first.GetProperty("validator").GetString());
        Assert.Equal((5000, 2000), (first.GetProperty("length").GetInt64(), first.GetProperty("bytes").GetInt64()));
        Assert.False(first.GetProperty("whole").GetBoolean());
        Assert.True(File.Exists(first.GetProperty("path").GetString()));
    }

    [Fact]
    public async Task Cache_verify_reads_every_copy_and_reports_the_damaged_ones()
    {
        string good = await PutAsync("https://host/good.safetensors", 3000, 3000);
        string bad = await PutAsync("https://host/bad.safetensors", 3000, 3000);
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);

        byte[] bytes = await File.ReadAllBytesAsync(bad, Token);
        bytes[1500] ^= 1;
        await File.WriteAllBytesAsync(bad, bytes, Token);

        ToolRun run = await RunAsync("verify");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("https://host/bad.safetensors  3.00 kB: 1.00 kB damaged", run.Out, StringComparison.Ordinal);
        Assert.Contains("https://host/good.safetensors  3.00 kB: sound", run.Out, StringComparison.Ordinal);
        Assert.Equal([0, 1000], (await RunAsync("verify", "--json")).OutLines
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("damaged").GetInt64()).Order());
        Assert.True(File.Exists(good));
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task Foreign_objects_with_names_of_the_cache_are_neither_waited_for_nor_written_through(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        Directory.CreateDirectory(_folder["elsewhere"]);
        await File.WriteAllTextAsync(_folder["elsewhere/victim"], "precious", Token);
        foreach (string end in (string[])["", ".jsonl", ".location.json"])
        {
            string name = await PutAsync("https://host/a.safetensors", 3000, 3000) + end;
            File.Delete(name);
            OddFile.Make(kind, name, _folder["elsewhere/victim"]);

            foreach (string verb in (string[])["ls", "verify", "clear"])
            {
                Assert.InRange((await RunAsync(verb)).ExitCode, 0, 2);
            }

            Assert.Equal("precious", await File.ReadAllTextAsync(_folder["elsewhere/victim"], Token));
            Assert.Single(Directory.GetFileSystemEntries(_folder["elsewhere"]));
            Assert.True(kind is OddFile.Folder or OddFile.LinkToFolder || Directory.GetFiles(Cache).Length == 0, kind + end);
            Directory.Delete(Cache, recursive: true);
        }
    }

    [Fact]
    public async Task Cache_clear_leaves_a_copy_that_is_being_written_and_its_journal()
    {
        Directory.CreateDirectory(Cache);
        var identity = new SourceIdentity("https://host/a.safetensors", 1000, "\"v\"");
        string path = new CacheFolder(Cache).PathOf(identity);
        await using PartialFile file = await PartialFile.OpenCopyAsync(path, identity, keepsOthersOut: true, Token);
        await file.WriteAsync(0, new byte[1000], Token);

        Assert.Equal($"error: {path} was not removed: it is in use.\n", (await RunAsync("clear")).Error);

        Assert.True(File.Exists(path) && File.Exists(PartialFile.JournalOf(path)));
    }

    [Fact]
    public async Task Cache_prune_keeps_the_most_recently_used_copy_and_clear_keeps_a_copy_in_use()
    {
        string old = await PutAsync("https://host/old.safetensors", 3000, 3000, hours: 2);
        string recent = await PutAsync("https://host/new.safetensors", 3000, 3000, hours: 1);
        await File.WriteAllTextAsync(Path.Combine(Cache, "mine.data"), "not the cache's", Token);

        ToolRun run = await RunAsync("prune", "--size", "4kB");
        Assert.Equal((0, "removed 1 file, 3.00 kB; 3.00 kB left"), (run.ExitCode, Assert.Single(run.OutLines)));
        Assert.Equal((false, true), (File.Exists(old), File.Exists(recent)));

        await using (CacheCopy used = CacheCopy.TryOpenToRead(recent, new("https://host/new.safetensors", 3000, "\"v\""), Token)!)
        {
            run = await RunAsync("clear");
            Assert.Equal((1, "removed 0 files, 0 bytes; 3.00 kB left, in use"), (run.ExitCode, Assert.Single(run.OutLines)));
            Assert.Equal($"error: {recent} was not removed: it is in use.\n", run.Error);

            // What is in use and may stay is no failure.
            Assert.Equal(0, (await RunAsync("prune", "--size", "4kB")).ExitCode);
            Assert.Equal(1, (await RunAsync("prune", "--size", "2kB")).ExitCode);
        }

        run = await RunAsync("clear");
        Assert.Equal("removed 1 file, 3.00 kB; 0 bytes left", Assert.Single(run.OutLines));
        Assert.Equal(["mine.data"], Directory.GetFiles(Cache).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Cache_commands_on_a_folder_that_loads_do_not_trust_succeed_with_a_warning()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the modes are those of Unix");
        string path = await PutAsync("https://host/a.safetensors", 3000, 3000);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Cache, (UnixFileMode)0x1ff);
        }

        foreach (string[] command in (string[][])[["ls"], ["verify"], ["prune", "--size", "3kB"], ["clear"]])
        {
            ToolRun run = await RunAsync(command);
            Assert.Equal(0, run.ExitCode);
            Assert.Contains($"warning: loads do not use this cache, because {Cache} can be written by other users (mode 0777)", run.Error,
                StringComparison.Ordinal);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Cache_clear_removes_a_read_only_file_from_a_writable_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the modes are those of Unix");
        string path = await PutAsync("https://host/a.safetensors", 3000, 3000);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead);
        }

        Assert.Equal(0, (await RunAsync("clear")).ExitCode);

        Assert.Empty(Directory.GetFiles(Cache));
    }

    [Fact]
    public async Task Cache_clear_removes_an_empty_folder_with_a_name_of_the_cache_and_reports_a_full_one()
    {
        await PutAsync("https://host/a.safetensors", 3000, 3000);
        string empty = new CacheFolder(Cache).PathOf(new SourceIdentity("https://host/b.safetensors", 3000, "\"v\""));
        string full = empty + ".jsonl";
        Directory.CreateDirectory(empty);
        Directory.CreateDirectory(Path.Combine(full, "in it"));
        Directory.CreateDirectory(Path.Combine(Cache, "mine"));

        ToolRun run = await RunAsync("clear");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"error: {full} was not removed: it is a folder that is not empty; remove it yourself.\n", run.Error);
        Assert.Equal([full, Path.Combine(Cache, "mine")], Directory.GetFileSystemEntries(Cache).Order(StringComparer.Ordinal));
        Directory.Delete(full, recursive: true);
        Assert.Equal(0, (await RunAsync("clear")).ExitCode);
    }

    [Fact]
    public async Task The_error_of_a_cache_command_without_a_folder_names_the_variable_for_the_folder()
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, "cache", "ls");
        Assert.Equal(64, run.ExitCode);
        Assert.Contains("TYPEDWEIGHTS_CACHE", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("ls")).ExitCode);
        Assert.Equal(64, (await RunAsync("prune")).ExitCode);
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.InAsync(_folder.Path, ["cache", .. args, "--folder", "cache"]);

    // In parts of a thousand bytes, as a load would leave it.
    private async Task<string> PutAsync(string source, int length, int there, int hours = 0)
    {
        var folder = new CacheFolder(Cache);
        folder.Make();
        var identity = new SourceIdentity(source, length, "\"v\"");
        string path = folder.PathOf(identity);
        byte[] bytes = TestFile.Noise(source, "U8", 8, length).Data;
        await using (PartialFile file = await PartialFile.OpenCopyAsync(path, identity, keepsOthersOut: true, Token))
        {
            for (int at = 0; at < there; at += 1000)
            {
                await file.WriteAsync(at, bytes.AsMemory(at, 1000), Token);
            }
        }

        File.SetLastWriteTimeUtc(PartialFile.JournalOf(path), DateTime.UtcNow.AddHours(-hours));
        return path;
    }
}
