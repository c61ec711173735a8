namespace TypedWeights.Tests.Loading.Given;

/// <summary>What is wrong with a file that was handed over is told with the name of the way; nothing stays behind.</summary>
public sealed class GivenFaultTests : GivenTest
{
    private static readonly TestFile.Entry[] Entries = [TestFile.Noise("a", "U8", 8, 100_000), TestFile.Noise("b", "U8", 8, 200_000)];

    [Theory]
    [InlineData(Memory)]
    [InlineData(Seekable)]
    public async Task A_file_that_was_cut_is_refused_before_it_is_read(string way)
    {
        var error = await FailAsync<SafeTensorsFormatException>(way, TestFile.Bytes(Entries)[..^1]);

        Assert.Equal(SafeTensorsErrorKind.MetadataIncompleteBuffer, error.Kind);
    }

    [Fact]
    public async Task A_stream_that_ends_before_its_file_does_is_told_with_both_lengths()
    {
        byte[] file = TestFile.Bytes(Entries);

        var error = await FailAsync<WeightSourceException>(Forward, file[..^1000]);

        Assert.Contains($"ended after {file.Length - 1000} of {file.Length} bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, SafeTensorsErrorKind.HeaderTooSmall)]
    [InlineData(7, SafeTensorsErrorKind.HeaderTooSmall)]
    [InlineData(20, SafeTensorsErrorKind.InvalidHeaderLength)]
    public async Task A_file_that_ends_within_its_header_is_refused_by_the_rule_it_breaks(int length, SafeTensorsErrorKind kind)
    {
        foreach (string way in new[] { Memory, Seekable, Forward })
        {
            Assert.Equal(kind, (await FailAsync<SafeTensorsFormatException>(way, TestFile.Bytes(Entries)[..length])).Kind);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_file_of_another_format_is_told_by_its_format(string way)
    {
        byte[] zip = [.. "PK\u0003\u0004"u8, .. new byte[2000]];

        var error = await FailAsync<SafeTensorsFormatException>(way, zip);

        Assert.Contains("this is not a safetensors file but", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_header_that_is_no_json_is_refused(string way)
    {
        byte[] file = TestFile.Bytes(Entries);
        file[8] = (byte)'[';

        var error = await FailAsync<SafeTensorsFormatException>(way, file);

        Assert.Equal(SafeTensorsErrorKind.InvalidHeaderDeserialization, error.Kind);
    }

    [Fact]
    public async Task A_stream_that_goes_on_after_the_last_tensor_is_refused()
    {
        foreach (TestFile.Entry[] entries in new[] { Entries, [] })
        {
            var error = await FailAsync<WeightSourceException>(Forward, [.. TestFile.Bytes(entries), 0]);

            Assert.Contains("the stream continues", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_filter_does_not_read_a_stream_that_cannot_seek()
    {
        var error = await FailAsync<WeightSourceException>(Forward, TestFile.Bytes(Entries), new() { Filter = name => name == "b" });

        Assert.Contains("only 1 of its 2 tensors are selected", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_load_beyond_its_memory_limit_is_refused_without_the_advice_to_map(string way)
    {
        var error = await FailAsync<MemoryLimitException>(way, TestFile.Bytes(Entries), new() { MemoryLimit = 290_000 });

        Assert.Equal(290_000, error.Limit);
        Assert.DoesNotContain("Mapped", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_is_no_file_cannot_be_mapped(string way)
    {
        var error = await FailAsync<WeightSourceException>(way, TestFile.Bytes(Entries), new() { Storage = TensorStorage.Mapped });

        Assert.Contains("only local files can be mapped", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_file_of_another_model_is_refused_with_every_difference(string way)
    {
        int bound = TinyModel.Bound;

        var error = await Assert.ThrowsAsync<WeightMismatchException>(() => LoadAsync(way, TestFile.Bytes(Entries)));

        Assert.StartsWith(NameOf(way), error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Mismatches, mismatch => mismatch.Name == "model.norm.weight");
        Assert.Equal(bound, TinyModel.Bound);
    }

    [Fact]
    public async Task What_a_stream_throws_is_the_cause_of_the_error()
    {
        byte[] file = TestFile.Bytes(Entries);
        foreach (int at in new[] { 0, 10, 150_000 })
        {
            var cause = new InvalidDataException("the archive is damaged");
            var stream = new ForwardStream(file)
            {
                Reading = read =>
                {
                    if (read >= at)
                    {
                        throw cause;
                    }
                },
            };
            long before = NativeTensors.Count();

            var error = await Assert.ThrowsAsync<WeightSourceException>(() => SafeTensors.LoadAsync(stream, cancellationToken: Token));

            Assert.Equal("stream: reading the stream failed (InvalidDataException): the archive is damaged", error.Message);
            Assert.Same(cause, error.InnerException);
            NativeTensors.AssertNoneSince(before);
        }
    }

    [Fact]
    public async Task A_load_that_is_cancelled_reads_no_further()
    {
        using var stop = new CancellationTokenSource();
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]);
        var stream = new ForwardStream(file)
        {
            Reading = read =>
            {
                if (read > 10_000)
                {
                    stop.Cancel();
                }
            },
        };
        long before = NativeTensors.Count();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SafeTensors.LoadAsync(stream, cancellationToken: stop.Token));

        Assert.True(stream.BytesRead < file.Length, $"{stream.BytesRead} bytes were read");
        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task A_stream_that_is_null_or_closed_is_refused_by_its_parameter()
    {
        var closed = new MemoryStream();
        await closed.DisposeAsync();

        await Assert.ThrowsAsync<ArgumentNullException>("stream", () => SafeTensors.LoadAsync(stream: null!, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>("stream", () => SafeTensors.LoadAsync(closed, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>("stream", () => TinyModel.LoadAsync(closed, cancellationToken: Token));
    }

    private static async Task<T> FailAsync<T>(string way, byte[] file, TensorLoadOptions? options = null)
        where T : WeightsException
    {
        long before = NativeTensors.Count();
        T error = await Assert.ThrowsAsync<T>(() => LoadTensorsAsync(way, file, options));
        Assert.StartsWith(NameOf(way), error.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(before);
        return error;
    }
}
