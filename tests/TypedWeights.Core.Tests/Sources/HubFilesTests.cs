using TypedWeights.Sources;
using TypedWeights.Sources.HuggingFace;

namespace TypedWeights.Tests.Sources;

/// <summary>Small files of the hub's own tools, in a folder that others may be able to write to.</summary>
public sealed class HubFilesTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TempFolder _folder = new();
    private readonly HubCache _cache;

    public HubFilesTests()
    {
        Directory.CreateDirectory(_folder["models--a--b/refs"]);
        Directory.CreateDirectory(_folder["models--a--b/snapshots/" + Commit]);
        _cache = new HubCache(_folder.Path, HubUri.Of(WeightUri.Parse("hf://a/b")));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void A_reference_index_or_token_that_is_not_a_regular_file_is_ignored_without_waiting(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        string victim = _folder["victim"];
        File.WriteAllText(victim, Commit);
        string reference = _folder["models--a--b/refs/main"], index = _folder[$"models--a--b/snapshots/{Commit}/model.safetensors.index.json"];
        OddFile.Make(kind, reference, victim);
        OddFile.Make(kind, index, victim);
        OddFile.Make(kind, _folder["token"], victim);

        bool isFile = kind is OddFile.Link or OddFile.HardLink;
        Assert.Equal(isFile ? Commit : null, _cache.CommitOf("main"));
        Assert.Null(_cache.Find(Commit, "model.safetensors.index.json"));
        Assert.Equal(isFile ? Commit : null, Settings().FindToken(out _)?.Value);
    }

    [Fact]
    public void A_reference_or_token_of_3_GiB_is_ignored_without_taking_memory()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file system of Windows gives a long file its blocks");
        foreach (string path in (string[])[_folder["models--a--b/refs/main"], _folder["token"]])
        {
            using FileStream stream = File.Create(path);
            stream.SetLength(3L << 30);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(_cache.CommitOf("main"));
        Assert.Null(Settings().FindToken(out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("HF_TOKEN", "hf_good\r\nX-Evil: 1")]
    [InlineData("HF_TOKEN", "hf_go\0od")]
    [InlineData("HUGGING_FACE_HUB_TOKEN", "hf_gööd")]
    [InlineData("HF_TOKEN", "hf_go od")]
    [InlineData("token", "hf_good\nhf_other\n")]
    [InlineData("HuggingFaceOptions.Token", "hf_good\nhf_other")]
    public void A_token_that_is_not_valid_in_a_header_is_refused_with_the_name_of_its_setting(string place, string token)
    {
        var options = new HuggingFaceOptions { Token = place == "HuggingFaceOptions.Token" ? token : null };
        File.WriteAllText(_folder["token"], place == "token" ? token : "hf_saved");
        var settings = new HubSettings(options, name => name == place ? token : name == "HF_TOKEN_PATH" ? _folder["token"] : null);

        WeightSourceException error = Assert.Throws<WeightSourceException>(() => settings.FindToken(out _));

        Assert.Contains(place == "token" ? _folder["token"] : place, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_", error.Message, StringComparison.Ordinal);
        if (options.Token is not null)
        {
            Assert.Equal("Token", Assert.Throws<ArgumentException>(options.Validate).ParamName);
        }
    }

    [Fact]
    public void A_final_line_break_is_removed_from_a_token()
    {
        File.WriteAllText(_folder["token"], "hf_saved\r\n");

        Assert.Equal("hf_saved", Settings().FindToken(out _)?.Value);
        new HuggingFaceOptions { Token = "hf_good\n" }.Validate();
    }

    [Theory]
    [InlineData("http://bob:hunter2@hub.test/mirror?key=s3cret", "http://hub.test/mirror/")]
    [InlineData("https://hub.test:8443", "https://hub.test:8443/")]
    public void The_user_name_and_query_of_the_hub_endpoint_are_dropped(string given, string expected)
    {
        Assert.Equal(expected, new HubSettings(new HuggingFaceOptions { Endpoint = new Uri(given) }, _ => null).Endpoint.ToString());
        Assert.Equal(expected, new HubSettings(new HuggingFaceOptions(), name => name == "HF_ENDPOINT" ? given : null).Endpoint.ToString());
    }

    [Theory]
    [InlineData(OddFile.LinkToDevice, "this is a device")]
    [InlineData(OddFile.Pipe, "this is a named pipe")]
    [InlineData(OddFile.DanglingLink, "this is a link whose target is missing")]
    [InlineData(OddFile.LinkToItself, "this is a symbolic link that leads back to itself")]
    public void A_token_file_that_cannot_be_read_is_reported_and_a_missing_default_token_file_is_not(string kind, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        Assert.Null(Settings().FindToken(out string? unread));
        Assert.Equal($"The token file {_folder["token"]} (HF_TOKEN_PATH) was not read: there is no such file.", unread);
        Assert.Null(new HubSettings(new HuggingFaceOptions(), name => name == "HF_HOME" ? _folder.Path : null).FindToken(out unread));
        Assert.Null(unread);

        OddFile.Make(kind, _folder["token"], _folder["victim"]);
        Assert.Null(Settings().FindToken(out unread));
        Assert.StartsWith($"The token file {_folder["token"]} (HF_TOKEN_PATH) was not read: {says}", unread, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OddFile.Pipe, "this is a named pipe")]
    [InlineData(OddFile.DanglingLink, "is a link whose target is missing")]
    [InlineData(OddFile.LinkToItself, "is a symbolic link that leads back to itself")]
    public void A_file_of_the_hub_cache_that_cannot_be_read_is_not_used_and_is_reported(string kind, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        File.WriteAllText(_folder["models--a--b/refs/main"], Commit);
        string file = _folder[$"models--a--b/snapshots/{Commit}/model.safetensors"];
        Assert.Null(_cache.Flaw("main"));

        OddFile.Make(kind, file, _folder["victim"]);

        Assert.Null(_cache.Find(Commit, "model.safetensors"));
        Assert.Null(_cache.FindUsual(Commit));
        Assert.StartsWith(file, _cache.Flaw("main"), StringComparison.Ordinal);
        Assert.Contains(says, _cache.Flaw("main"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hub_cache_folder_that_is_a_broken_or_circular_link_is_reported()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        File.CreateSymbolicLink(_folder["gone"], "no/such/folder");
        File.CreateSymbolicLink(_folder["loop"], "loop");
        HubUri uri = HubUri.Of(WeightUri.Parse("hf://a/b"));

        Assert.StartsWith($"{_folder["gone"]} is a link whose target is missing", new HubCache(_folder["gone"], uri).Flaw("main"));
        Assert.StartsWith($"{_folder["loop"]} is a symbolic link that leads back to itself", new HubCache(_folder["loop"], uri).Flaw("main"));
        Assert.Null(new HubCache(_folder["absent"], uri).Flaw("main"));
    }

    private HubSettings Settings() => new(new HuggingFaceOptions(), name => name == "HF_TOKEN_PATH" ? _folder["token"] : null);
}
