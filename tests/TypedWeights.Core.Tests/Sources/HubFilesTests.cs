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
    public void A_reference_an_index_or_a_token_that_is_no_file_counts_as_none_and_is_not_waited_for(string kind)
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
        Assert.Equal(isFile ? Commit : null, Settings().FindToken()?.Value);
    }

    [Fact]
    public void A_reference_or_token_of_any_length_takes_no_memory()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file system of Windows gives a long file its blocks");
        foreach (string path in (string[])[_folder["models--a--b/refs/main"], _folder["token"]])
        {
            using FileStream stream = File.Create(path);
            stream.SetLength(3L << 30);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(_cache.CommitOf("main"));
        Assert.Null(Settings().FindToken());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private HubSettings Settings() => new(new HuggingFaceOptions(), name => name == "HF_TOKEN_PATH" ? _folder["token"] : null);
}
