namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A server that knows no ranges: one answer, read from its first byte to its last.</summary>
public sealed class SequentialTests : FaultTest
{
    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task A_file_from_a_server_without_ranges_is_read_once(TensorStorage storage)
    {
        Server.Answer = _ => Respond.IgnoreRange;
        await using WeightLoader loader = Loader();

        using WeightSet weights = await loader.LoadTensorsAsync(
            Uri, new() { Storage = storage }, cancellationToken: TestContext.Current.CancellationToken);

        NoiseFile.AssertIn(weights);
        Assert.Single(Server.Requests);
        Assert.Equal(NoiseFile.Bytes.Length, Server.Requests.Sum(request => request.Sent));
    }

    [Fact]
    public async Task A_filtered_load_from_a_server_without_ranges_is_an_error_that_names_ranges()
    {
        Server.Answer = _ => Respond.IgnoreRange;
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(
            Uri, new() { Filter = name => name == "scale" }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("range", error.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(200)]
    [InlineData(1_000_000)]
    public async Task A_whole_body_that_breaks_off_is_requested_again_and_resumed_where_it_stopped(int bytes)
    {
        Server.Answer = request => request.Index == 0 ? Respond.IgnoreRangeUntil(bytes) : Respond.IgnoreRange;

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(500_000)]
    public async Task A_second_body_that_stalls_before_the_byte_to_resume_at_is_requested_again(int bytes)
    {
        Server.Answer = request => request.Index switch
        {
            0 => Whole(1_000_000),
            1 => bytes < 0 ? Respond.Silence : Whole(bytes, Timeout.InfiniteTimeSpan),
            _ => Respond.IgnoreRange,
        };

        await AssertLoadsAsync();

        Assert.Equal((3, 1_000_000), (Server.Requests.Count, Server.Requests.First().Sent));
    }

    [Fact]
    public async Task A_second_body_that_is_slow_to_reach_the_byte_to_resume_at_is_no_stall()
    {
        // In all it takes longer than a stall may; no pause does.
        Server.Answer = request => request.Index == 0 ? Whole(1_000_000) : Whole(NoiseFile.Bytes.Length, TimeSpan.FromMilliseconds(300), pieces: 8);

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Fact]
    public async Task Another_file_in_the_second_body_is_an_error_that_says_the_file_changed()
    {
        Server.Answer = request =>
        {
            if (request.Index == 0)
            {
                Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.OtherBytes);
                return Respond.IgnoreRangeUntil(1_000_000);
            }

            return Respond.IgnoreRange;
        };

        await AssertFailsAsync("replaced|changed");
    }

    [Fact]
    public async Task A_body_that_always_breaks_off_at_the_same_byte_is_an_error_after_the_attempts()
    {
        Server.Answer = _ => Respond.IgnoreRangeUntil(1_000_000);

        await AssertFailsAsync("attempts");
    }

    [Fact]
    public async Task A_server_that_stops_serving_ranges_during_a_load_is_an_error()
    {
        Server.Answer = request => request.Payload >= 3 ? Respond.IgnoreRange : null;

        await AssertFailsAsync("range");
    }

    // 200 with so many bytes of the file, in pieces with pauses; time enough to read them before the connection breaks.
    private static Fault Whole(int bytes, TimeSpan? pause = null, int pieces = 1) => async request =>
    {
        request.Context.Response.Headers.ETag = request.File!.Tag;
        request.Context.Response.ContentLength = request.File.Bytes.Length;
        for (int piece = 0; piece < pieces; piece++)
        {
            long from = (long)bytes * piece / pieces;
            await Respond.WriteAsync(request, from, ((long)bytes * (piece + 1) / pieces) - from);
            await request.Context.Response.Body.FlushAsync(request.Aborted);
            await Task.Delay(pause ?? TimeSpan.FromMilliseconds(150), request.Aborted);
        }

        if (bytes < request.File.Bytes.Length)
        {
            request.Context.Abort();
        }
    };
}
