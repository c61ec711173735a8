using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

/// <summary>What a download leaves, and what the next one takes up again.</summary>
public sealed class PartialFileTests : PartialFileTest
{
    [Fact]
    public async Task A_file_gets_its_name_only_when_it_is_whole_and_then_nothing_is_left_beside_it()
    {
        File.WriteAllText(Target, "before");
        await using PartialFile file = await OpenAsync();
        foreach (int part in (int[])[3, 0, 4, 2])
        {
            await WriteAsync(file, part);
        }

        Assert.Throws<InvalidOperationException>(() => file.Publish());
        Assert.Equal([(1L * Part, (long)Part)], file.Missing);
        Assert.Equal("before", File.ReadAllText(Target));

        await WriteAsync(file, 1);
        await file.FlushAsync(Token);
        Assert.Equal("before", File.ReadAllText(Target));
        file.Publish();

        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        await file.DisposeAsync();
        Assert.Equal([Target], Directory.GetFiles(Folder.Path));
    }

    [Fact]
    public async Task A_new_download_resumes_a_partial_file_with_the_parts_that_are_already_written()
    {
        await LeaveAsync(0, 3);

        long verified = 0;
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity, bytes => verified += bytes, Token);

        Assert.Null(file.StartedOver);
        Assert.Equal(2 * Part, verified);
        Assert.Equal([(1L * Part, 2L * Part), (4L * Part, (long)Part)], file.Missing);
        await FinishAsync(file, 1, 2, 4);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_whose_bytes_were_changed_on_disk_is_missing_again()
    {
        await LeaveAsync(0, 1, 2);
        using (FileStream stream = File.OpenWrite(Target + ".partial"))
        {
            stream.Position = Part + 500;
            stream.WriteByte((byte)~Bytes[Part + 500]);
        }

        await using PartialFile file = await OpenAsync();

        Assert.Equal([(1L * Part, (long)Part), (3L * Part, 2L * Part)], file.Missing);
        await FinishAsync(file, 1, 3, 4);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Parts_that_never_reached_the_disk_are_missing_although_the_journal_lists_them()
    {
        await LeaveAsync(0, 1, 2, 3, 4);
        File.WriteAllBytes(Target + ".partial", new byte[5 * Part]);

        await using PartialFile file = await OpenAsync();

        Assert.Equal([(0L, 5L * Part)], file.Missing);
    }

    [Theory]
    [InlineData("http://host/a", 5 * Part, "\"2\"", "changed at its source")]
    [InlineData("http://host/a", 5 * Part, null, "changed at its source")]
    [InlineData("http://host/a", 4 * Part, "\"1\"", "changed at its source")]
    [InlineData("http://host/b", 5 * Part, "\"1\"", "a part of http://host/a")]
    public async Task A_partial_file_of_another_file_or_version_is_not_resumed(string source, long length, string? validator, string reason)
    {
        await LeaveAsync(0, 1);

        await using PartialFile file = await PartialFile.OpenAsync(Target, new SourceIdentity(source, length, validator), _ => { }, Token);

        Assert.Contains(reason, file.StartedOver, StringComparison.Ordinal);
        Assert.Equal([(0L, length)], file.Missing);
        Assert.All(await file.ReadAsync(0, (int)length, Token), value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task A_partial_file_without_a_validator_is_removed_and_not_resumed()
    {
        SourceIdentity uncertain = Identity with { Validator = null };
        await using (PartialFile file = await PartialFile.OpenAsync(Target, uncertain, _ => { }, Token))
        {
            await WriteAsync(file, 0);
            Assert.False(file.CanResume);
            File.Copy(Target + ".partial.jsonl", Folder["journal"]);
        }

        Assert.Equal([Folder["journal"]], Directory.GetFiles(Folder.Path));

        // As after a sudden end.
        File.Move(Folder["journal"], Target + ".partial.jsonl");
        File.WriteAllBytes(Target + ".partial", Bytes);
        await using PartialFile next = await PartialFile.OpenAsync(Target, uncertain, _ => { }, Token);
        Assert.Contains("no ETag", next.StartedOver, StringComparison.Ordinal);
        Assert.Equal([(0L, 5L * Part)], next.Missing);
    }

    [Fact]
    public async Task A_partial_file_without_a_journal_is_started_again()
    {
        await LeaveAsync(0, 1);
        File.Delete(Target + ".partial.jsonl");

        await using PartialFile file = await OpenAsync();

        Assert.Equal("nothing describes its content", file.StartedOver);
        Assert.Equal([(0L, 5L * Part)], file.Missing);
    }

    [Theory]
    [InlineData(2 * Part, 1)]
    [InlineData((2 * Part) + 500, 1)]
    [InlineData(9 * Part, 1)]
    public async Task A_partial_file_that_was_cut_or_extended_keeps_the_parts_that_are_still_right(int length, int first)
    {
        await LeaveAsync(0, 2, 4);
        using (FileStream stream = File.OpenWrite(Target + ".partial"))
        {
            stream.SetLength(length);
        }

        await using PartialFile file = await OpenAsync();

        Assert.Null(file.StartedOver);
        Assert.Equal(length < 5 * Part ? 4L * Part : 2L * Part, file.Missing.Sum(static range => range.Length));
        Assert.Equal(first * Part, file.Missing[0].Offset);
        Assert.Equal(5 * Part, new FileInfo(Target + ".partial").Length);
        await FinishAsync(file, length < 5 * Part ? [1, 2, 3, 4] : [1, 3]);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_partial_file_that_is_empty_or_discarded_leaves_nothing_behind()
    {
        await (await OpenAsync()).DisposeAsync();
        Assert.Empty(Directory.GetFiles(Folder.Path));

        await using PartialFile file = await OpenAsync();
        await WriteAsync(file, 0);
        file.Discard();
        await file.DisposeAsync();
        Assert.Empty(Directory.GetFiles(Folder.Path));
    }

    [Fact]
    public async Task A_file_without_bytes_can_be_published_at_once()
    {
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity with { Length = 0 }, _ => { }, Token);
        Assert.Empty(file.Missing);
        file.Publish();
        Assert.Equal(0, new FileInfo(Target).Length);
    }
}
