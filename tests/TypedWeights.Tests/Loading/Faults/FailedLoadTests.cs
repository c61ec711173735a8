namespace TypedWeights.Tests.Loading.Faults;

/// <summary>One failure ends the load, and with it everything else that was under way.</summary>
public sealed class FailedLoadTests : FaultTest
{
    private static readonly TransferOptions Patient =
        Quick with { StallTimeout = TimeSpan.FromMinutes(5), RetryDelay = TimeSpan.FromMinutes(5) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposing_the_loader_during_a_load_ends_the_load_with_an_error_that_names_the_file(bool isUnderWay)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request =>
        {
            if (request.IsPayload)
            {
                asked.TrySetResult();
            }

            return !request.IsPayload ? null : isUnderWay ? Respond.StallAfter(1000) : Respond.Silence;
        };

        // Nothing but the loader's end would end these reads.
        WeightLoader loader = Loader(Quick with { StallTimeout = TimeSpan.FromMinutes(5) });
        Task<WeightSet> load = loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        await asked.Task;

        await loader.DisposeAsync();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => load.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        Assert.StartsWith(Uri, error.Message, StringComparison.Ordinal);
        Assert.Contains("its loader was disposed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_load_aborts_its_hanging_reads()
    {
        Server.Answer = Others(Respond.StallAfter(1000));

        await AssertFailsAsync("404", Patient);

        Assert.All(Server.Payloads.Where(request => request.Payload is > 0 and < 3), request => Assert.True(request.WasAborted));
    }

    [Fact]
    public async Task A_failed_load_ends_the_waits_of_its_reads_for_a_further_attempt()
    {
        Server.Answer = Others(Respond.Status(503));

        await AssertFailsAsync("404", Patient);
    }

    [Fact]
    public async Task A_shard_that_fails_ends_the_reads_of_the_other_shards()
    {
        Server.Files["/a.safetensors"] = ServedFile.Strong(TestFile.Bytes([TestFile.Noise("a", "U8", 8, 1_000_000)]));
        Server.Files["/b.safetensors"] = ServedFile.Strong(TestFile.Bytes([TestFile.Noise("b", "U8", 8, 1_000_000)]));
        Server.Files["/model.safetensors.index.json"] = new(
            System.Text.Encoding.UTF8.GetBytes("""{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}"""), "\"index\"");
        Server.Answer = request => !request.IsPayload ? null
            : request.Path == "/b.safetensors" ? Respond.Status(403)
            : request.Payload == 0 ? Respond.StallAfter(1000) : null;

        WeightSourceException error = await AssertFailsAsync("403", Patient, $"{Server.Address}/model.safetensors.index.json");

        Assert.Contains("/b.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loader_loads_again_after_a_failed_load()
    {
        await using WeightLoader loader = Loader();
        Server.Answer = request => request.Payload == 2 ? Respond.Status(404) : null;
        await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken));
        Server.Answer = _ => null;

        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);

        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task Disposing_the_loader_ends_its_loads_and_frees_their_tensors()
    {
        var hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request =>
        {
            if (request.Payload >= 2)
            {
                hanging.TrySetResult();
                return Respond.StallAfter(1000);
            }

            return null;
        };
        long before = NativeTensors.Count();
        WeightLoader loader = Loader(Quick with { Attempts = 2 });
        Task<WeightSet> load = loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        await hanging.Task;

        await loader.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => load.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilDisconnectedAsync();
    }

    // The first part fails, a little later than the others have begun.
    private static Func<FaultRequest, Fault?> Others(Fault fault)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return request =>
        {
            if (request.Payload == 3)
            {
                begun.TrySetResult();
            }

            return request.Payload switch
            {
                < 0 => null,
                0 => Respond.After(() => begun.Task, Respond.Status(404)),
                _ => fault,
            };
        };
    }
}
