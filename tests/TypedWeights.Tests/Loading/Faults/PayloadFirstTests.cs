using System.Text;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Typed loads, whose manifest knows the offsets: payload does not wait for the header, and is still not trusted.</summary>
public sealed class PayloadFirstTests : FaultTest
{
    private static readonly TransferOptions Patient = Quick with { StallTimeout = TimeSpan.FromMinutes(5) };

    private static long DataStart => ServedFile.Strong(NoiseFile.Bytes).DataStart;

    [Fact]
    public async Task The_whole_payload_may_arrive_before_the_header_and_each_byte_is_requested_once()
    {
        long data = NoiseFile.Bytes.Length - DataStart;
        Server.Answer = request => request.IsPayload
            ? null
            : Respond.After(() => Eventually.BecomesAsync(
                () => Server.Payloads.Sum(payload => payload.Sent) == data, () => "the payload waits for the header"), Respond.Serve);

        await AssertLoadsTypedAsync();

        FaultRequest header = Assert.Single(Server.Requests, request => !request.IsPayload);
        Assert.Equal((0, DataStart - 1), (header.From, header.To));
        Assert.Equal(data, Server.Payloads.Sum(request => request.Length));
        Assert.InRange(Server.Requests.Count - 1, data / Quick.PartSize, NoiseFile.Entries.Count * ((data / Quick.PartSize) + 1));
    }

    [Fact]
    public async Task The_header_may_arrive_before_the_payload()
    {
        var header = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.IsPayload
            ? Respond.After(() => header.Task, Respond.Serve)
            : async first =>
            {
                await Respond.Serve(first);
                header.TrySetResult();
            };

        await AssertLoadsTypedAsync();

        Assert.Single(Server.Requests, request => !request.IsPayload);
    }

    [Fact]
    public async Task A_payload_that_breaks_off_and_a_header_with_a_503_are_retried()
    {
        Server.Answer = request => request.Attempt > 0 ? null : request.IsPayload ? Respond.TruncateAfter(1000) : Respond.Status(503);

        await AssertLoadsTypedAsync();
    }

    [Theory]
    [InlineData("W/\"a\"")]
    [InlineData(null)]
    public async Task A_typed_load_works_with_a_weak_ETag_or_none_and_sends_no_If_Match(string? tag)
    {
        Server.Files["/" + NoiseFile.Name] = new(NoiseFile.Bytes, tag);

        await AssertLoadsTypedAsync();

        Assert.All(Server.Requests, request => Assert.Null(request.IfMatch));
        Assert.Single(Server.Requests, request => !request.IsPayload);
    }

    [Fact]
    public async Task A_typed_load_reads_the_payload_again_when_the_header_has_other_offsets()
    {
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(TestFile.Bytes(NoiseFile.Entries.Reverse()));

        await AssertLoadsTypedAsync();
    }

    [Fact]
    public async Task A_typed_load_reads_the_payload_again_when_the_header_is_longer()
    {
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(
            TestFile.Bytes(NoiseFile.Entries, new Dictionary<string, string> { ["note"] = new('x', 100_000) }));

        await AssertLoadsTypedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_typed_load_reads_the_payload_again_when_the_checkpoint_has_other_shards(bool isOldThere)
    {
        Server.Files["/a.safetensors"] = ServedFile.Strong(TestFile.Bytes(NoiseFile.Entries.Take(1)));
        Server.Files["/b.safetensors"] = ServedFile.Strong(TestFile.Bytes(NoiseFile.Entries.Skip(1)));
        string map = string.Join(',', NoiseFile.Entries.Select((entry, i) => $"\"{entry.Name}\":\"{(i == 0 ? 'a' : 'b')}.safetensors\""));
        Server.Files["/model.safetensors.index.json"] = ServedFile.Strong(Encoding.UTF8.GetBytes($"{{\"weight_map\":{{{map}}}}}"));
        Server.Files.TryRemove("/" + NoiseFile.Name, out _);
        if (isOldThere)
        {
            Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.OtherBytes);
        }

        await AssertLoadsTypedAsync($"{Server.Address}/model.safetensors.index.json");
    }

    [Fact]
    public async Task A_broken_contract_ends_a_typed_load_with_every_difference_although_payload_hangs()
    {
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(TestFile.Bytes(NoiseFile.Entries.Select(entry => entry.Name switch
        {
            "embed" => entry with { DType = "F16" },
            "scale" => entry with { Name = "Scale" },
            _ => entry,
        })));
        Server.Answer = request => request.IsPayload ? Respond.StallAfter(100) : null;

        WeightMismatchException error = await AssertFailsTypedAsync<WeightMismatchException>();

        Assert.Equal(["Scale", "embed", "scale"], error.Mismatches.Select(mismatch => mismatch.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_typed_load_from_a_server_without_ranges_reads_the_file_in_order()
    {
        Server.Answer = _ => Respond.IgnoreRange;

        await AssertLoadsTypedAsync();
    }

    [Fact]
    public async Task An_absent_file_is_reported_as_not_found_by_a_typed_load()
    {
        Server.Files.Clear();

        WeightSourceException error = await AssertFailsTypedAsync<WeightSourceException>();

        Assert.True(error.IsNotFound);
    }

    [Fact]
    public async Task A_file_that_was_replaced_between_payload_and_header_is_read_again()
    {
        long data = NoiseFile.Bytes.Length - DataStart;
        var other = ServedFile.Strong(NoiseFile.OtherBytes);
        Server.Answer = request => request.IsPayload ? null : async header =>
        {
            await Eventually.BecomesAsync(
                () => Server.Payloads.Sum(payload => payload.Sent) >= data, () => "the payload waits for the header");
            Server.Files["/" + NoiseFile.Name] = other;
            await Respond.Serve(new FaultRequest(header.Context, other, header.Aborted));
        };
        await using WeightLoader loader = Loader(Patient);

        using NoiseModel model = await loader.LoadAsync<NoiseModel>(Uri, cancellationToken: TestContext.Current.CancellationToken);

        Assert.All(NoiseFile.OtherEntries, entry => Assert.Equal(entry.Data, TensorBytes.Of(model.Weights[entry.Name])));
    }

    [Fact]
    public async Task A_payload_request_that_is_refused_ends_the_load()
    {
        Server.Answer = request => request.Payload == 2 ? Respond.Status(403) : null;

        WeightSourceException error = await AssertFailsTypedAsync<WeightSourceException>();

        Assert.Contains("403", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_replaced_while_payload_arrives_is_never_mixed_with_the_new_one()
    {
        var other = ServedFile.Strong(NoiseFile.OtherBytes);
        Server.Answer = request => request.Payload == 5
            ? changed =>
            {
                Server.Files["/" + NoiseFile.Name] = other;
                return Respond.Serve(new FaultRequest(changed.Context, other, changed.Aborted));
            }
        : request.IsPayload ? null : Respond.After(
                () => Eventually.BecomesAsync(() => Server.Payloads.Count() > 5, () => "no payload came"),
                header => Respond.Serve(new FaultRequest(header.Context, other, header.Aborted)));
        await using WeightLoader loader = Loader(Quick);
        long before = NativeTensors.Count();

        // Either is right: to say that it changed, or to have read all of the newer one.
        try
        {
            using NoiseModel model = await loader.LoadAsync<NoiseModel>(
                Uri, cancellationToken: TestContext.Current.CancellationToken);
            Assert.All(NoiseFile.OtherEntries, entry => Assert.Equal(entry.Data, TensorBytes.Of(model.Weights[entry.Name])));
        }
        catch (WeightSourceException e)
        {
            Assert.Contains("replaced", e.Message, StringComparison.Ordinal);
        }

        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_while_the_header_or_the_payload_hangs_frees_everything(bool headerToo)
    {
        var hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request =>
        {
            if (request.Payload >= 3)
            {
                hanging.TrySetResult();
                return Respond.StallAfter(1000);
            }

            return request.IsPayload || !headerToo ? null : Respond.StallAfter(10);
        };
        long before = NativeTensors.Count();
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader(Patient);
        Task<NoiseModel> load = loader.LoadAsync<NoiseModel>(Uri, cancellationToken: cancel.Token);
        await hanging.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => load.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task Cancelling_a_load_ends_requests_that_wait_for_another_request_to_follow_a_redirect()
    {
        // All begin at the given address; one follows, and what the others were answered there is still coming.
        var following = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.Path.EndsWith("?2", StringComparison.Ordinal)
            ? async behind =>
            {
                await Eventually.BecomesAsync(() => Server.Requests.Count >= 4, () => "the others do not ask");
                following.TrySetResult();
                await Respond.Silence(behind);
            }
        : async redirect =>
        {
            redirect.Context.Response.StatusCode = 302;
            redirect.Context.Response.Headers.Location = $"{Uri}?2";
            await redirect.Context.Response.WriteAsync("moved", redirect.Aborted);
            await redirect.Context.Response.Body.FlushAsync(redirect.Aborted);
            await Task.Delay(Timeout.Infinite, redirect.Aborted);
        };
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader(Patient);
        Task<NoiseModel> load = loader.LoadAsync<NoiseModel>(Uri, cancellationToken: cancel.Token);
        await following.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        await Task.Delay(200, TestContext.Current.CancellationToken);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => load.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));
        await Server.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task A_long_header_that_arrives_slowly_is_no_stall()
    {
        // In all it takes longer than a stall may; no pause does.
        byte[] file = TestFile.Bytes(LongModel.Entries);
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(file);
        Server.Answer = request => request.IsPayload || request.Length < 1000
            ? null
            : async slow =>
            {
                if (Respond.Head(slow, slow.Length))
                {
                    for (int part = 0; part < 8; part++)
                    {
                        long from = slow.From + (slow.Length * part / 8);
                        await Respond.WriteAsync(slow, from, slow.From + (slow.Length * (part + 1) / 8) - from);
                        await slow.Context.Response.Body.FlushAsync(slow.Aborted);
                        await Task.Delay(300, slow.Aborted);
                    }
                }
            };
        await using WeightLoader loader = Loader(Quick);

        using LongModel model = await loader.LoadAsync<LongModel>(
            Uri, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(LongModel.Entries[^1].Data, TensorBytes.Of(model.Weights[LongModel.Entries[^1].Name]));
    }

    private async Task AssertLoadsTypedAsync(string? uri = null)
    {
        long before = NativeTensors.Count();
        await using (WeightLoader loader = Loader(Quick with { StallTimeout = TimeSpan.FromSeconds(20) }))
        {
            using NoiseModel model = await loader.LoadAsync<NoiseModel>(
                uri ?? Uri, cancellationToken: TestContext.Current.CancellationToken);
            NoiseFile.AssertIn(model.Weights);
            await Server.WaitUntilIdleAsync();
        }

        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilDisconnectedAsync();
    }

    private async Task<T> AssertFailsTypedAsync<T>()
        where T : Exception
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(Patient);
        T error = await Assert.ThrowsAsync<T>(() => loader
            .LoadAsync<NoiseModel>(Uri, cancellationToken: TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
        return error;
    }
}
