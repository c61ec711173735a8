using System.Diagnostics;
using TypedWeights.Caching;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Tests.Caching;

/// <summary>The tests of one class, while no other runs: they change the umask and the environment, which a process has only once.</summary>
[CollectionDefinition(nameof(ChangedUmask), DisableParallelization = true)]
public sealed class ChangedUmask;

[Collection(nameof(ChangedUmask))]
public sealed class CacheFolderTests : IDisposable
{
    private const int Nobody = 65534;

    private static readonly SourceIdentity Identity = new("http://host/a", 1000, "\"1\"");

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CacheFolder Cache => new(_folder["above/cache"]);

    private string Target => Cache.PathOf(Identity);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_missing_cache_folder_is_made_with_its_parents_for_the_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        var cache = new CacheFolder(_folder["a/b/c"]);

        cache.Make();
        cache.Make();

        foreach (string name in (string[])["a", "a/b", "a/b/c"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder[name]));
        }
    }

    [Theory]
    [InlineData("~/models", true)]
    [InlineData("~", true)]
    [InlineData("~other/models", false)]
    [InlineData("/a/~/b", false)]
    public void The_cache_variable_may_begin_with_a_tilde_for_the_home_folder(string value, bool isExpanded)
    {
        string? before = Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CACHE");
        Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", value);
        try
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            Assert.Equal(isExpanded ? home + value[1..] : value, CacheFolder.OfEnvironment);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", before);
        }
    }

    [Theory]
    [InlineData("0666", true)]
    [InlineData("0646", true)]
    [InlineData("0444", false)]
    [InlineData("0644", false)]
    [InlineData("0600", false)]
    public void A_file_that_others_may_write_to_is_trusted_only_if_the_cache_is_marked_as_trusted(string mode, bool isDistrusted)
    {
        Assert.SkipUnless(LibC.IsSupported, "only the modes of Linux and macOS are read");
        MakeFile(Target);
        Run("chmod", mode, Target);

        Assert.Equal(isDistrusted, Cache.Distrust(Target) is { } reason && reason.Contains(mode, StringComparison.Ordinal));
        Assert.Null(new CacheFolder(Cache.Path, isTrusted: true).Distrust(Target));
    }

    [Fact]
    public void A_file_of_another_user_is_not_trusted_with_any_mode()
    {
        Assert.SkipUnless(LibC.IsSupported && LibC.EffectiveUser() == 0, "only root can give a file to another user");
        MakeFile(Target);
        Run("chown", $"{Nobody}", Target);

        Assert.Contains($"{Target} belongs to another user (uid {Nobody})", Cache.Distrust(Target), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_files_of_a_copy_that_are_not_trusted_are_removed()
    {
        Assert.SkipUnless(LibC.IsSupported, "only the modes of Linux and macOS are read");
        string[] files = CacheFolder.FilesOf(Target);
        Array.ForEach(files, MakeFile);
        Run("chmod", "0666", files[0]);

        Cache.RemoveDistrusted(Target);

        Assert.Equal([false, true], files.Select(File.Exists));
    }

    [Fact]
    public async Task Only_the_owner_may_write_to_the_files_of_a_cache_under_any_umask()
    {
        Assert.SkipUnless(LibC.IsSupported, "only the modes of Linux and macOS are read");
        uint before = Umask(0);
        try
        {
            Cache.Make();
            await using PartialFile file = await PartialFile.OpenCopyAsync(Target, Identity, Cache.KeepsOthersOut, Token);
            await file.WriteAsync(0, new byte[1000], Token);
            new CachedPlace("http://host/a", "", "a", null, new Dictionary<string, SourceIdentity>()).Write(Cache);
            AssertNobodyElseMayWrite(count: 3);
        }
        finally
        {
            _ = Umask(before);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task The_owner_can_resume_partial_files_under_any_umask(bool isCopy, bool keepsOthersOut)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Cache.Make();
        uint before = Umask(0x1ff);
        try
        {
            await using PartialFile file = isCopy
                ? await PartialFile.OpenCopyAsync(Target, Identity, keepsOthersOut, Token)
                : await PartialFile.OpenAsync(Target, Identity, _ => { }, Token);
            Assert.Equal([Own, Own], Directory.GetFiles(Cache.Path).Select(File.GetUnixFileMode));
        }
        finally
        {
            _ = Umask(before);
        }
    }

    [Fact]
    public async Task Every_operation_that_reads_journals_can_be_cancelled()
    {
        Cache.Make();
        await using (PartialFile file = await PartialFile.OpenCopyAsync(Target, Identity, keepsOthersOut: true, Token))
        {
            await file.WriteAsync(0, new byte[1000], Token);
        }

        SourceIdentity newer = Identity with { Validator = "\"2\"" };
        string partial = Cache.PathOf(newer);
        await using (PartialFile file = await PartialFile.OpenCopyAsync(partial, newer, keepsOthersOut: true, Token))
        {
            await file.WriteAsync(0, new byte[500], Token);
        }

        var cancelled = new CancellationToken(canceled: true);
        await using var cache = new LocalCache(Cache.Path, new LocalCacheOptions());
        CachedItem item = Cache.List(Token)[0];
        Func<Task>[] readers =
        [
            () => Task.FromResult(Cache.List(cancelled)),
            () => Task.FromResult(Cache.VersionsOf(Identity.Source, cancelled)),
            () => Task.FromResult(Cache.Shrink(0, cancelled)),
            () => Task.FromResult(CachedItem.At(Target, cancelled)),
            () => Task.FromResult(CacheCopy.TryOpenToRead(Target, Identity, cancelled)),
            () => item.CountDamagedAsync(_ => { }, cancelled).AsTask(),
            () => PartialFile.OpenCopyAsync(partial, newer, keepsOthersOut: true, cancelled).AsTask(),
            () => cache.JoinAsync(newer, cancelled),
        ];
        foreach (Func<Task> reader in readers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(reader);
        }

        // Nothing is locked or gone.
        Assert.Equal(1000 + 500, Cache.List(Token).Sum(static found => found.Bytes));
        CacheCopy copy = await cache.JoinAsync(newer, Token);
        Assert.Equal(500, copy.Parts.Total);
        await cache.LeaveAsync(copy);
    }

    [Fact]
    public void A_cached_location_that_others_may_write_to_is_ignored_and_rewritten_for_the_owner_alone()
    {
        Assert.SkipUnless(LibC.IsSupported, "only the modes of Linux and macOS are read");
        Cache.Make();
        var place = new CachedPlace("http://host/a", "", "a", null, new Dictionary<string, SourceIdentity>());
        place.Write(Cache);
        Run("chmod", "0666", CachedPlace.PathOf(Cache, "http://host/a", ""));

        Assert.Null(CachedPlace.Read(Cache, "http://host/a", ""));

        place.Write(Cache);
        Assert.NotNull(CachedPlace.Read(Cache, "http://host/a", ""));
        AssertNobodyElseMayWrite(count: 1);
    }

    private void AssertNobodyElseMayWrite(int count)
    {
        string[] files = Directory.GetFiles(Cache.Path);
        Assert.Equal(count, files.Length);
        if (!OperatingSystem.IsWindows())
        {
            foreach (string path in files)
            {
                Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & OwnFile.WriteOfOthers);
            }
        }
    }

    private void MakeFile(string path)
    {
        Cache.Make();
        File.WriteAllText(path, "x");
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "umask")]
    private static extern uint Umask(uint mask);
}
