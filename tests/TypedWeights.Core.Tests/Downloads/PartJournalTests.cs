using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

public sealed class PartJournalTests : IDisposable
{
    private static readonly SourceIdentity Identity = new("https://host/größe \"1\"\n.safetensors", 1000, "W/\"a\\b\"");

    private static readonly FinishedPart[] Parts =
        [new(0, 100, 1), new(900, 100, UInt128.MaxValue), new(100, 800, new UInt128(0x1234, 0x5678))];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string JournalPath => _folder["a.partial.jsonl"];

    [Fact]
    public void What_was_written_is_read_also_when_it_was_gone_on_with()
    {
        using (var journal = PartJournal.Create(JournalPath, Identity))
        {
            journal.Add(Parts[0]);
        }

        using (var journal = PartJournal.Append(JournalPath))
        {
            journal.Add(Parts[1]);
            journal.Add(Parts[2]);
        }

        (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts) = PartJournal.Read(JournalPath);
        Assert.Equal(Identity, identity);
        Assert.Equal(Parts, parts);
    }

    [Fact]
    public void A_journal_cut_at_any_byte_has_its_whole_lines_and_takes_further_ones()
    {
        Write();
        byte[] whole = File.ReadAllBytes(JournalPath);
        int[] ends = [.. whole.Index().Where(item => item.Item == (byte)'\n').Select(item => item.Index)];
        Assert.Equal(1 + Parts.Length, ends.Length);
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(JournalPath, whole[..length]);
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts) = PartJournal.Read(JournalPath);

            // A line is whole with its last brace, whether or not its line break came.
            int lines = ends.Count(end => end <= length);
            Assert.Equal(lines > 0 ? Identity : null, identity);
            Assert.Equal(Parts[..Math.Max(0, lines - 1)], parts);
            if (lines > 0)
            {
                using (var journal = PartJournal.Append(JournalPath))
                {
                    journal.Add(Parts[2]);
                }

                Assert.Equal([.. Parts[..(lines - 1)], Parts[2]], PartJournal.Read(JournalPath).Parts);
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
    [InlineData("\0\0\0\0")]
    [InlineData("")]
    public void A_line_that_makes_no_sense_says_nothing(string line)
    {
        Write();
        File.AppendAllText(JournalPath, line + "\n");

        (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts) = PartJournal.Read(JournalPath);

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
    public void A_journal_of_another_kind_says_nothing(string first)
    {
        File.WriteAllText(JournalPath, first + """

            {"offset":0,"length":5,"xxh128":"00000000000000000000000000000001"}

            """);

        Assert.Equal((null, 0), (PartJournal.Read(JournalPath).Identity, PartJournal.Read(JournalPath).Parts.Count));
    }

    [Fact]
    public void Where_there_is_none_nothing_is_known()
    {
        Assert.Null(PartJournal.Read(JournalPath).Identity);
        using (PartJournal.Create(JournalPath, Identity with { Validator = null }))
        {
            Assert.Equal(Identity with { Validator = null }, PartJournal.Read(JournalPath).Identity);
        }
    }

    private void Write()
    {
        using var journal = PartJournal.Create(JournalPath, Identity);
        Array.ForEach(Parts, journal.Add);
    }
}
