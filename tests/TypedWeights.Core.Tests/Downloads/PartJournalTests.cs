using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

public sealed class PartJournalTests : IDisposable
{
    private static readonly SourceIdentity Identity = new("https://host/größe \"1\"\n.safetensors", 1000, "W/\"a\\b\"");

    private static readonly FinishedPart[] Parts =
        [new(0, 100, 1), new(900, 100, UInt128.MaxValue), new(100, 800, new UInt128(0x1234, 0x5678))];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string JournalPath => _folder["a.partial.jsonl"];

    [Fact]
    public void A_journal_that_was_extended_after_a_reopen_is_read_completely()
    {
        using (var journal = PartJournal.Create(JournalPath, Identity))
        {
            journal.Add(Parts[0]);
        }

        using (var journal = PartJournal.Append(JournalPath, PartJournal.Read(JournalPath, Token).Length))
        {
            journal.Add(Parts[1]);
            journal.Add(Parts[2]);
        }

        (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts, _) = PartJournal.Read(JournalPath, Token);
        Assert.Equal(Identity, identity);
        Assert.Equal(Parts, parts);
    }

    [Fact]
    public void A_journal_cut_at_any_byte_keeps_its_whole_lines_and_accepts_further_lines()
    {
        Write();
        byte[] whole = File.ReadAllBytes(JournalPath);
        int[] ends = [.. whole.Index().Where(item => item.Item == (byte)'\n').Select(item => item.Index)];
        Assert.Equal(1 + Parts.Length, ends.Length);
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(JournalPath, whole[..length]);
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts, _) = PartJournal.Read(JournalPath, Token);

            // A line is whole with its line break.
            int lines = ends.Count(end => end < length);
            Assert.Equal(lines > 0 ? Identity : null, identity);
            Assert.Equal(Parts[..Math.Max(0, lines - 1)], parts);
            if (lines > 0)
            {
                using (var journal = PartJournal.Append(JournalPath, PartJournal.Read(JournalPath, Token).Length))
                {
                    journal.Add(Parts[2]);
                }

                Assert.Equal([.. Parts[..(lines - 1)], Parts[2]], PartJournal.Read(JournalPath, Token).Parts);
            }
        }
    }

    [Theory]
    [InlineData("""{"offset":0,"length":0,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("""{"offset":-1,"length":5,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("""{"offset":996,"length":5,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("""{"offset":9223372036854775807,"length":9223372036854775807,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("""{"offset":0,"length":5,"xxh128":"1"}""")]
    [InlineData("""{"offset":0,"length":5,"xxh128":"0000000000000000000000000000000g"}""")]
    [InlineData("""{"offset":0,"length":5}""")]
    [InlineData("""{"offset":0.5,"length":5,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("""["offset"]""")]
    [InlineData("""{"offset":0,"length":5,"xxh128":"\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800"}""")]
    [InlineData("""{"offset":1e400,"length":99999999999999999999,"xxh128":"00000000000000000000000000000001"}""")]
    [InlineData("\0\0\0\0")]
    [InlineData("")]
    [InlineData(" {\"offset\":0,\"length\":5,\"xxh128\":\"00000000000000000000000000000001\"}")]
    [InlineData("{\"offset\":0,\"length\":5,\"xxh128\":\"00000000000000000000000000000001\"} ")]
    [InlineData("{\"offset\":0,\"length\":5,\"xxh128\":\"00000000000000000000000000000001\",\"more\":1}")]
    [InlineData("{\"length\":5,\"offset\":0,\"xxh128\":\"00000000000000000000000000000001\"}")]
    [InlineData("{\"offset\":,\"length\":5,\"xxh128\":\"00000000000000000000000000000001\"}")]
    public void A_journal_ends_before_the_first_line_that_is_not_in_its_exact_format(string line)
    {
        Write();
        File.AppendAllText(JournalPath, line + "\n" + "{\"offset\":0,\"length\":5,\"xxh128\":\"00000000000000000000000000000001\"}\n");

        (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts, _) = PartJournal.Read(JournalPath, Token);

        Assert.Equal(Identity, identity);
        Assert.Equal(Parts, parts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0")]
    [InlineData("""{"typedweights":2,"source":"a","length":1000,"validator":"b"}""")]
    [InlineData("""{"typedweights":1,"source":"a","length":-1,"validator":"b"}""")]
    [InlineData("""{"typedweights":1,"source":null,"length":1000,"validator":"b"}""")]
    [InlineData("""{"typedweights":1,"source":"a","length":1000}""")]
    [InlineData("""{"typedweights":1,"source":"\ud800","length":1000,"validator":"b"}""")]
    [InlineData("""{"typedweights":1,"source":"a","length":1000,"validator":"\udc00b"}""")]
    [InlineData("""{"typedweights":1,"source":"a","length":99999999999999999999,"validator":"b"}""")]
    [InlineData("""{"typedweights":1e99,"source":"a","length":1000,"validator":"b"}""")]
    [InlineData("""{"typedweights":1,"source":{},"length":[],"validator":{}}""")]
    [InlineData("""{"typedweights":1,"source":"a","length":1000,"validator":"b" """)]
    public void A_journal_whose_first_line_is_not_valid_has_no_identity_and_no_parts(string first)
    {
        File.WriteAllText(JournalPath, first + """

            {"offset":0,"length":5,"xxh128":"00000000000000000000000000000001"}

            """);

        Assert.Equal((null, 0), (PartJournal.Read(JournalPath, Token).Identity, PartJournal.Read(JournalPath, Token).Parts.Count));
    }

    [Fact]
    public void A_journal_with_bytes_that_are_not_UTF8_or_with_deep_nesting_has_no_identity()
    {
        byte[][] lines =
        [
            [.. """{"typedweights":1,"source":"a"""u8, 0xff, 0xc0, .. "\",\"length\":1000,\"validator\":\"b\"}\n"u8],
            [.. Enumerable.Repeat((byte)'[', 60_000)],
            [.. Enumerable.Repeat("{\"a\":"u8.ToArray(), 10_000).SelectMany(static text => text)],
        ];
        foreach (byte[] line in lines)
        {
            File.WriteAllBytes(JournalPath, line);
            Assert.Null(PartJournal.Read(JournalPath, Token).Identity);
        }
    }

    [Fact]
    public void A_journal_followed_by_3_GiB_of_zeros_keeps_its_whole_lines_and_takes_little_memory()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file system of Windows gives a long file its blocks");
        foreach (bool isBegun in (bool[])[false, true])
        {
            if (isBegun)
            {
                Write();
            }

            using (FileStream stream = File.OpenWrite(JournalPath))
            {
                stream.SetLength(3L << 30);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts, _) = PartJournal.Read(JournalPath, Token);

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            Assert.Equal(isBegun ? Identity : null, identity);
            Assert.Equal(isBegun ? Parts : [], parts);
            File.Delete(JournalPath);
        }
    }

    [Fact]
    public void Reading_a_journal_stops_after_the_greatest_length_that_a_journal_can_have()
    {
        // Of a file that is so long that it may have any number of parts.
        PartJournal.Create(JournalPath, Identity with { Length = long.MaxValue }).Dispose();
        Span<byte> line = stackalloc byte[FinishedPart.LongestLine];
        int length = new FinishedPart(1L << 60, 1L << 60, 1).Format(line);
        byte[] lines = [.. Enumerable.Repeat(line[..length].ToArray(), 10_000).SelectMany(static text => text)];
        using (FileStream stream = new(JournalPath, FileMode.Append))
        {
            while (stream.Length < 140 << 20)
            {
                stream.Write(lines);
            }
        }

        Assert.InRange(PartJournal.Read(JournalPath, Token).Parts.Count, (120 << 20) / length, (129 << 20) / length);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_journal_with_more_parts_than_the_file_can_have_is_ignored(int more, bool isJournal)
    {
        // One for each 64 KiB of the file, and 65,536 for the ends of requests.
        SourceIdentity identity = Identity with { Length = 10 * (64 << 10) };
        int parts = 10 + (1 << 16) + more;
        using (var journal = PartJournal.Create(JournalPath, identity))
        {
            Array.ForEach([.. Enumerable.Range(0, parts).Select(static at => new FinishedPart(at, 1, 1))], journal.Add);
        }

        PartNotes notes = PartJournal.Read(JournalPath, Token);

        Assert.Equal(isJournal ? (identity, parts) : (null, 0), (notes.Identity, notes.Parts.Count));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("{}\n")]
    public void A_journal_with_a_million_invalid_lines_is_read_without_an_exception(string line)
    {
        Write();
        string lines = string.Concat(Enumerable.Repeat(line, 1_000_000));
        File.AppendAllText(JournalPath, lines);
        int exceptions = 0;
        int thread = Environment.CurrentManagedThreadId;
        EventHandler<System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs> count =
            (_, _) => exceptions += Environment.CurrentManagedThreadId == thread ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += count;
        try
        {
            Assert.Equal(Parts, PartJournal.Read(JournalPath, Token).Parts);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= count;
        }

        Assert.Equal(0, exceptions);
    }

    [Fact]
    public void Reading_a_journal_can_be_cancelled()
    {
        Write();

        Assert.Throws<OperationCanceledException>(() => PartJournal.Read(JournalPath, new CancellationToken(canceled: true)));
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void A_path_that_is_not_a_regular_file_is_not_read_as_a_journal_and_a_new_journal_replaces_it(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        PartJournal.Create(_folder["victim"], Identity).Dispose();
        byte[] before = File.ReadAllBytes(_folder["victim"]);
        OddFile.Make(kind, JournalPath, _folder["victim"]);

        // What another name of the file says is read: it is written to that is refused.
        Assert.Equal(kind == OddFile.HardLink ? Identity : null, PartJournal.Read(JournalPath, Token).Identity);
        Assert.ThrowsAny<IOException>(() => PartJournal.Append(JournalPath, 0));
        if (kind == OddFile.Folder)
        {
            IOException e = Assert.ThrowsAny<IOException>(() => PartJournal.Create(JournalPath, Identity));
            Assert.Contains(JournalPath + ": this is a folder", e.Message, StringComparison.Ordinal);
        }
        else
        {
            using (var journal = PartJournal.Create(JournalPath, Identity))
            {
                journal.Add(Parts[0]);
            }

            Assert.Equal(Parts[..1], PartJournal.Read(JournalPath, Token).Parts);
        }

        Assert.Equal(before, File.ReadAllBytes(_folder["victim"]));
        Assert.False(File.Exists(_folder["victim.absent"]));
    }

    [Fact]
    public void A_missing_journal_reads_as_no_identity()
    {
        Assert.Null(PartJournal.Read(JournalPath, Token).Identity);
        using (PartJournal.Create(JournalPath, Identity with { Validator = null }))
        {
            Assert.Equal(Identity with { Validator = null }, PartJournal.Read(JournalPath, Token).Identity);
        }
    }

    private void Write()
    {
        using var journal = PartJournal.Create(JournalPath, Identity);
        Array.ForEach(Parts, journal.Add);
    }
}
