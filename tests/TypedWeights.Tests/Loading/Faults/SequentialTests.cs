namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A server that knows no ranges: one answer, read from its first byte to its last.</summary>
public sealed class SequentialTests : FaultTest
{
    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task The_whole_file_is_read_once(TensorStorage storage)
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
    public async Task A_part_of_the_tensors_is_refused_with_what_to_do()
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
    public async Task A_body_that_breaks_is_asked_for_again_and_goes_on_where_it_stopped(int bytes)
    {
        Server.Answer = request => request.Index == 0 ? Respond.IgnoreRangeUntil(bytes) : Respond.IgnoreRange;

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(500_000)]
    public async Task A_second_body_that_stops_before_it_has_come_so_far_is_given_up_too(int bytes)
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
    public async Task One_that_is_slow_to_come_so_far_is_waited_for()
    {
        // In all it takes longer than a stall may; no pause does.
        Server.Answer = request => request.Index == 0 ? Whole(1_000_000) : Whole(NoiseFile.Bytes.Length, TimeSpan.FromMilliseconds(300), pieces: 8);

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Fact]
    public async Task Another_file_in_the_second_body_is_a_changed_file()
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
    public async Task A_body_that_breaks_each_time_before_a_further_byte_is_an_error()
    {
        Server.Answer = _ => Respond.IgnoreRangeUntil(1_000_000);

        await AssertFailsAsync("attempts");
    }

    [Fact]
    public async Task A_server_that_forgets_its_ranges_half_way_is_an_error_or_loads_right()
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
