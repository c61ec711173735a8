namespace TypedWeights.Tests.Loading.Early;

/// <summary>Begun loads that fail, are cancelled, or are disposed before they end.</summary>
public sealed class BrokenOffTests : EarlyTest
{
    private static readonly TaskCompletionSource Never = new();

    [Fact]
    public async Task A_failed_begun_load_ends_every_unfinished_wait_with_the_same_error()
    {
        Server.Answer = request => !request.IsPayload ? null
            : Names(request).Any(name => Layer(name) == 5) ? Respond.After(() => Gate.Task, Respond.Status(404))
            : Names(request).Any(name => Layer(name) > 5) ? Respond.StallAfter(100) : null;
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();
        LayeredModel model = await BeginAsync(loader);
        Task[] waits =
        [
            model.Model.Layers[5].WhenReadyAsync(TestContext.Current.CancellationToken),
            model.Model.Layers[11].WhenReadyAsync(TestContext.Current.CancellationToken),
            model.Model.WhenReadyAsync(TestContext.Current.CancellationToken),
            model.WhenReadyAsync(TestContext.Current.CancellationToken),
        ];
        await Soon(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));
        Assert.All(waits, wait => Assert.False(wait.IsCompleted));

        Gate.SetResult();
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => Soon(waits[0]));
        foreach (Task wait in waits.Append(model.Model.Norm.WhenReadyAsync(TestContext.Current.CancellationToken)))
        {
            Assert.Same(error, await Assert.ThrowsAsync<WeightSourceException>(() => Soon(wait)));
        }

        Assert.Contains("404", error.Message, StringComparison.Ordinal);
        InvalidOperationException never = Assert.Throws<InvalidOperationException>(() => model.Model.Layers[11].Attn.Weight);
        Assert.StartsWith(
            "The tensor \"model.layers.11.attn.weight\" of LayeredModel is not available, because the load failed: ",
            never.Message,
            StringComparison.Ordinal);
        Assert.Same(error, never.InnerException);
        LayeredModel.AssertIs("model.layers.0.attn.weight", model.Model.Layers[0].Attn.Weight);
        Assert.True(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken).IsCompletedSuccessfully);

        model.Dispose();
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Disposing_the_model_ends_a_begun_load_and_every_wait_and_frees_everything()
    {
        HoldLayers(layer => layer > 2);
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();
        LayeredModel model = await BeginAsync(loader);
        await Soon(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));
        Task wait = model.Model.Layers[7].WhenReadyAsync(TestContext.Current.CancellationToken);
        Task all = model.WhenReadyAsync(TestContext.Current.CancellationToken);

        model.Dispose();

        NativeTensors.AssertNoneSince(before);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Soon(wait));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Soon(all));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));
        Assert.Throws<ObjectDisposedException>(() => model.Model.Layers[0].Attn.Weight);
        Assert.Throws<ObjectDisposedException>(() => model.Model.Layers[7].Attn.Weight);
        await Server.WaitUntilIdleAsync();
        model.Dispose();
    }

    [Fact]
    public async Task The_token_cancels_a_begun_load_after_it_returned_its_model()
    {
        HoldLayers(layer => layer > 2);
        long before = NativeTensors.Count();
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader();
        LayeredModel model = await BeginAsync(loader, token: cancel.Token);
        Task wait = model.Model.Layers[7].WhenReadyAsync(TestContext.Current.CancellationToken);
        await Soon(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));

        await cancel.CancelAsync();

        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(wait));
        Assert.Equal(cancel.Token, error.CancellationToken);
        await Server.WaitUntilIdleAsync();
        LayeredModel.AssertIs("model.layers.0.attn.weight", model.Model.Layers[0].Attn.Weight);
        model.Dispose();
        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task Cancelling_a_begun_load_before_it_returns_its_model_frees_everything()
    {
        Server.Answer = request => request.IsPayload ? null : Respond.After(() => Never.Task.WaitAsync(request.Aborted), Respond.Serve);
        long before = NativeTensors.Count();
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader();
        Task<LayeredModel> begun = BeginAsync(loader, token: cancel.Token);
        await Eventually.BecomesAsync(() => Server.Payloads.Any(), () => "no payload was asked for");

        await cancel.CancelAsync();

        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(begun));
        Assert.Equal(cancel.Token, error.CancellationToken);
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task A_cancelled_wait_does_not_end_the_begun_load()
    {
        HoldLayers(layer => layer == 11);
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader();
        using LayeredModel model = await BeginAsync(loader);
        Task wait = model.Model.Layers[11].WhenReadyAsync(cancel.Token);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(wait));
        Gate.SetResult();

        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
        LayeredModel.AssertIs("model.layers.11.attn.weight", model.Model.Layers[11].Attn.Weight);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_begun_load_with_a_broken_contract_or_too_little_memory_returns_no_model(bool isRemote)
    {
        TestFile.Entry[] other = [.. LayeredModel.File.Select(entry => entry.Name == "model.norm.weight" ? entry with { DType = "I32" } : entry)];
        using var folder = new TempFolder();
        string path = TestFile.Write(folder["model.safetensors"], LayeredModel.File, LayeredModel.Tied);
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();

        MemoryLimitException limit = await Assert.ThrowsAsync<MemoryLimitException>(
            () => BeginAsync(loader, new() { MemoryLimit = 1000 }, source: isRemote ? Uri : path));
        Server.Files[Path] = ServedFile.Strong(TestFile.Bytes(other, LayeredModel.Tied));
        TestFile.Write(path, other, LayeredModel.Tied);
        Server.Answer = request => request.IsPayload ? Respond.StallAfter(100) : null;
        WeightMismatchException mismatch = await Assert.ThrowsAsync<WeightMismatchException>(
            () => BeginAsync(loader, source: isRemote ? Uri : path));

        Assert.Equal(1000, limit.Limit);
        Assert.Equal("model.norm.weight", Assert.Single(mismatch.Mismatches).Name);
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_was_replaced_before_its_header_arrived_is_never_mixed(bool hasLandedBefore)
    {
        // The header is of another file than the payload, with the same layout: before anything is seen all is read anew; after, the load fails.
        var other = ServedFile.Strong(TestFile.Bytes(
            LayeredModel.File.Select(entry => entry with { Data = [.. entry.Data.Select(value => (byte)~value)] }), LayeredModel.Tied));
        bool isReplaced = false;
        Server.Answer = request => request.IsPayload && !isReplaced
            ? (hasLandedBefore ? null : Respond.After(() => Gate.Task, Respond.Serve))
            : !request.IsPayload && !isReplaced
                ? Respond.After(
                    () => hasLandedBefore
                        ? Eventually.BecomesAsync(() => Server.Payloads.Count(payload => payload.HasEnded) > 8, () => "no payload")
                        : Task.CompletedTask,
                    header =>
                    {
                        isReplaced = hasLandedBefore;
                        Server.Files[Path] = hasLandedBefore ? other : Server.Files[Path];
                        return Respond.Serve(new FaultRequest(header.Context, other, header.Aborted));
                    })
                : null;
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();

        LayeredModel? model = null;
        try
        {
            model = await BeginAsync(loader);
            Gate.TrySetResult();
            await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
            Assert.All(LayeredModel.File, entry => Assert.Equal(
                entry.Data.Select(value => (byte)~value).ToArray(), TensorBytes.Of(model.Weights[entry.Name])));
        }
        catch (WeightsException e)
        {
            Assert.Contains("replaced", e.Message, StringComparison.Ordinal);
        }

        model?.Dispose();
        NativeTensors.AssertNoneSince(before);
    }
}
