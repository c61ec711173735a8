using TypedWeights.Caching;
using TypedWeights.Downloads;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>A folder that other users of the machine can change.</summary>
public sealed class TrustTests : CacheTest
{
    private const UnixFileMode Everybody = (UnixFileMode)0x1ff;

    private static readonly LocalCacheOptions Trusting = new() { TrustFolder = true };

    public override ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the modes are those of Unix");
        return base.InitializeAsync();
    }

    [Theory]
    [InlineData(".")]
    [InlineData("cache")]
    public async Task A_load_skips_a_cache_that_other_users_can_write_and_warns_once(string open)
    {
        await LoadAsync();
        OpenToAll(open);
        string[] before = Kinds().ToArray();
        long sent = Sent;

        Assert.False(await LoadAsync());

        Assert.True(Sent - sent >= NoiseFile.Bytes.Length, "All of it came from the source.");
        Assert.Equal(before, Kinds());
        string warning = Assert.Single(Log.Warnings);
        Assert.Contains("loading without the cache", warning, StringComparison.Ordinal);
        Assert.Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder[open])) + " can be written", warning, StringComparison.Ordinal);
        Assert.Contains("TrustFolder", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CacheMode.Check)]
    [InlineData(CacheMode.Trust)]
    public async Task A_copy_with_matching_hashes_that_another_user_planted_is_not_loaded(CacheMode mode)
    {
        await LoadAsync();
        await PlantAsync();
        OpenToAll("cache");

        await LoadAsync(new() { Cache = mode });

        // The same bytes are loaded where the folder is said to be trusted: so they would have been.
        await using WeightLoader trusting = Loader(Trusting);
        using WeightSet weights = await trusting.LoadTensorsAsync(Uri, new() { Cache = mode }, cancellationToken: Token);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => NoiseFile.AssertIn(weights));
    }

    [Fact]
    public async Task The_TrustFolder_option_makes_a_load_use_a_folder_that_others_can_write()
    {
        await LoadAsync();
        OpenToAll("cache");
        long sent = Sent;

        Assert.True(await LoadAsync(options: Trusting));

        Assert.True(Sent - sent < NoiseFile.Bytes.Length, "It came from the cache.");
        Assert.Empty(Log.Warnings);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("True", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public async Task An_environment_variable_makes_a_load_trust_the_folder_that_the_environment_names(string value, bool isUsed)
    {
        Directory.CreateDirectory(Cache);
        OpenToAll("cache");
        Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", Cache);
        Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE_TRUST", value);
        try
        {
            await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).Build();
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            Assert.Equal(isUsed, await weights.Caching);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", null);
            Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE_TRUST", null);
        }

        Assert.Equal(isUsed, Kinds().Any());
    }

    [Fact]
    public async Task An_offline_load_fails_with_an_untrusted_cache_unless_the_file_is_local()
    {
        await LoadAsync();
        OpenToAll("cache");
        await using WeightLoader loader = Loader();
        var offline = new TensorLoadOptions { Cache = CacheMode.Offline };

        var e = await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(Uri, offline, cancellationToken: Token));

        Assert.Contains($"the cache {Cache} is not trusted", e.Message, StringComparison.Ordinal);
        Assert.Contains("TYPEDWEIGHTS_CACHE_TRUST=1", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsNotFound);
        await File.WriteAllBytesAsync(Folder["local.safetensors"], NoiseFile.Bytes, Token);
        using WeightSet local = await loader.LoadTensorsAsync(Folder["local.safetensors"], offline, cancellationToken: Token);
        NoiseFile.AssertIn(local);
        Assert.Empty(Log.Warnings);
    }

    [Theory]
    [InlineData("cache", UnixFileMode.None, "this user may not list the folder {0} ")]
    [InlineData("cache", UnixFileMode.UserRead | UnixFileMode.OtherRead, "this user may not search the folder {0} ")]
    [InlineData("*.location.json", UnixFileMode.None, "this user may not read {0} ")]
    [InlineData("*.data", UnixFileMode.None, "this user may not read {0} ")]
    [InlineData("*.data.jsonl", UnixFileMode.None, "this user may not read {0} ")]
    public async Task An_offline_load_reports_an_unreadable_copy_as_unreadable_and_not_as_absent(string what, UnixFileMode mode, string says)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The other user is one of Linux.");
        await LoadAsync();
        OpenToAll(".");
        OpenToAll("cache");
        Array.ForEach(Directory.GetFiles(Cache), OpenToAll);
        using (var before = ProbeProcess.StartUnprivileged("offline", Uri, Cache))
        {
            Assert.SkipUnless(await before.TryReadAsync("loaded") is not null, "The user nobody cannot run the program where it was built.");
        }

        string path = what == "cache" ? Cache : Assert.Single(Directory.GetFiles(Cache, what));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }

        using var probe = ProbeProcess.StartUnprivileged("offline", Uri, Cache);
        string failure = await probe.ReadAsync("failed");
        OpenToAll(path);

        Assert.DoesNotContain("not in the cache", failure, StringComparison.Ordinal);
        Assert.Contains(string.Format(System.Globalization.CultureInfo.InvariantCulture, says, path), failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CacheMode.Check, "")]
    [InlineData(CacheMode.Trust, "")]
    [InlineData(CacheMode.Check, ".jsonl")]
    public async Task A_copy_that_other_users_can_write_is_replaced_and_not_loaded(CacheMode mode, string end)
    {
        await LoadAsync();
        await PlantAsync();
        string name = Path.Combine("cache", Path.GetFileName(Copy()) + end);
        OpenToAll(name);

        Assert.True(await LoadAsync(new() { Cache = mode }));

        string warning = Assert.Single(Log.Warnings);
        Assert.Contains($"{Folder[name]} can be written by other users (mode 0777)", warning, StringComparison.Ordinal);
        long sent = Sent;
        Assert.True(await LoadAsync(new() { Cache = mode }));
        Assert.True(Sent - sent < NoiseFile.Bytes.Length, "The new copy is used.");
        Assert.Single(Log.Warnings);
    }

    [Theory]
    [InlineData("*.data")]
    [InlineData("*.location.json")]
    public async Task An_offline_load_names_the_copy_that_other_users_can_write_and_keeps_it(string what)
    {
        await LoadAsync();
        string path = Assert.Single(Directory.GetFiles(Cache, what));
        OpenToAll(Path.Combine("cache", Path.GetFileName(path)));
        await using WeightLoader loader = Loader();

        var e = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token));

        Assert.Contains($"{path} can be written by other users (mode 0777)", e.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(path));
        await using WeightLoader trusting = Loader(Trusting);
        using WeightSet weights = await trusting.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token);
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public void A_cache_folder_that_others_can_write_is_refused_when_it_is_created()
    {
        Directory.CreateDirectory(Cache);
        OpenToAll("cache");

        var e = Assert.ThrowsAny<IOException>(() => new CacheFolder(Cache).Make());

        Assert.Contains("can be written by other users", e.Message, StringComparison.Ordinal);
        new CacheFolder(Cache, isTrusted: true).Make();
    }

    private void OpenToAll(string name)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Folder[name], Everybody);
        }
    }

    // Other bytes, and a journal that says they are right: what anybody could write who knows the source's ETag.
    private async Task PlantAsync()
    {
        string target = Copy();
        SourceIdentity identity = PartJournal.Read(PartialFile.JournalOf(target), Token).Identity!;
        byte[] bytes = (byte[])NoiseFile.Bytes.Clone();
        bytes[^1] ^= 1;
        File.Delete(target);
        File.Delete(PartialFile.JournalOf(target));
        await using PartialFile file = await PartialFile.OpenCopyAsync(target, identity, keepsOthersOut: true, Token);
        await file.WriteAsync(0, bytes, Token);
    }
}
