using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class SmallFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public SmallFileTests() => File.WriteAllBytes(Victim, new byte[100_000]);

    private string Name => _folder["name"];

    private string Victim => _folder["victim"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(100_000)]
    [InlineData(100_001)]
    [InlineData(int.MaxValue - 100)]
    public void A_file_within_the_limit_is_read_whole(int limit)
    {
        Assert.Equal(100_000, SmallFile.Read(Victim, limit).Length);
        Assert.Equal(100_000, SmallFile.ReadOwn(Victim, limit).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(99_999)]
    public void A_file_longer_than_the_limit_is_refused(int limit)
    {
        IOException e = Assert.Throws<IOException>(() => SmallFile.Read(Victim, limit));
        Assert.Contains($"{Victim}: the file is longer than {limit} bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_reports_no_length_is_read_to_its_end()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's");
        Assert.Equal(File.ReadAllBytes("/proc/version"), SmallFile.Read("/proc/version", 1 << 20));
        Assert.Throws<IOException>(() => SmallFile.Read("/proc/version", 10));
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void A_path_that_is_not_a_file_or_a_link_to_a_file_is_refused_without_waiting(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        OddFile.Make(kind, Name, Victim);

        if (kind is OddFile.Link or OddFile.HardLink)
        {
            Assert.Equal(100_000, SmallFile.Read(Name, 100_000).Length);
        }
        else
        {
            Assert.ThrowsAny<IOException>(() => SmallFile.Read(Name, 100_000));
        }

        if (kind == OddFile.HardLink)
        {
            Assert.Equal(100_000, SmallFile.ReadOwn(Name, 100_000).Length);
        }
        else
        {
            Assert.Throws<RefusedFileException>(() => SmallFile.ReadOwn(Name, 100_000));
        }
    }
}
