using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests.Loading.Streaming;

/// <summary>Typed loads across a network, whose manifest knows where the bytes should lie.</summary>
public sealed class PayloadFirstTests : IAsyncLifetime
{
    private const string Path = "/model.safetensors";
    private readonly byte[] _file = TestFile.Bytes(TinyModel.Entries, TinyModel.Tied);
    private readonly long _tensors = NativeTensors.Count();
    private FileServer _server = null!;

    private long DataStart => 8 + BitConverter.ToInt64(_file);

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Files[Path] = _file;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_payload_does_not_wait_for_the_header_and_nothing_is_requested_twice()
    {
        var payload = new TaskCompletionSource();
        _server.Intercept = async context =>
        {
            if (FirstByte(context) == DataStart)
            {
                payload.TrySetResult();
            }
            else
            {
                // The header's answer waits until payload has been asked for.
                await payload.Task.WaitAsync(TimeSpan.FromMinutes(2));
            }

            return false;
        };

        using TinyModel model = await LoadAsync();

        AssertWhole(model, TinyModel.Entries);
        Assert.Equal(
            [$"bytes=0-{DataStart - 1}", $"bytes={DataStart}-{_file.Length - 1}"],
            _server.Requests.Select(request => request.Range).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_typed_load_reads_a_file_with_another_layout_again()
    {
        _server.Files[Path] = TestFile.Bytes([.. TinyModel.Entries.Reverse()], TinyModel.Tied);

        using TinyModel model = await LoadAsync();

        AssertWhole(model, TinyModel.Entries);
    }

    [Fact]
    public async Task A_broken_contract_ends_a_typed_load_with_every_difference_although_payload_hangs()
    {
        TestFile.Entry[] other = [.. TinyModel.Entries[..^1], TestFile.F32("model.Norm.weight", [2], 11, 12)];
        _server.Files[Path] = TestFile.Bytes(other, TinyModel.Tied);
        var never = new TaskCompletionSource();
        _server.Intercept = async context =>
        {
            if (FirstByte(context) == DataStart)
            {
                // The payload would take for ever; the load ends without it.
                await never.Task.WaitAsync(context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return true;
            }

            return false;
        };

        WeightMismatchException error = await Assert.ThrowsAsync<WeightMismatchException>(LoadAsync);

        Assert.Equal(["model.norm.weight", "model.Norm.weight"], error.Mismatches.Select(mismatch => mismatch.Name));
        NativeTensors.AssertNoneSince(_tensors);
    }

    [Fact]
    public async Task A_file_that_was_replaced_between_payload_and_header_is_read_again()
    {
        TestFile.Entry[] newer = [.. TinyModel.Entries];
        newer[0] = TestFile.F32("lm_head.weight", [4, 2], 8, 7, 6, 5, 4, 3, 2, 1);
        byte[] replaced = TestFile.Bytes(newer, TinyModel.Tied);
        Assert.Equal(_file.Length, replaced.Length);
        var payload = new TaskCompletionSource();
        _server.Intercept = async context =>
        {
            if (FirstByte(context) == 0)
            {
                await payload.Task.WaitAsync(TimeSpan.FromMinutes(2));
                _server.Files[Path] = replaced;
            }
            else
            {
                context.Response.OnCompleted(() =>
                {
                    payload.TrySetResult();
                    return Task.CompletedTask;
                });
            }

            return false;
        };

        using TinyModel model = await LoadAsync();

        AssertWhole(model, newer);
    }

    [Fact]
    public async Task A_typed_load_from_a_server_without_ranges_reads_the_file_in_sequence()
    {
        _server.Intercept = async context =>
        {
            context.Response.ContentLength = _file.Length;
            await context.Response.Body.WriteAsync(_file);
            return true;
        };

        using TinyModel model = await LoadAsync();

        AssertWhole(model, TinyModel.Entries);
    }

    [Fact]
    public async Task An_absent_file_is_reported_as_not_found_by_a_typed_load()
    {
        _server.Files.Clear();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(LoadAsync);

        Assert.True(error.IsNotFound);
        NativeTensors.AssertNoneSince(_tensors);
    }

    private static long FirstByte(HttpContext context) =>
        context.Request.GetTypedHeaders().Range!.Ranges.Single().From!.Value;

    private static void AssertWhole(TinyModel model, TestFile.Entry[] entries) =>
        Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(model.Weights[entry.Name])));

    private async Task<TinyModel> LoadAsync()
    {
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        return await loader.LoadAsync<TinyModel>(
            _server.Address + Path, cancellationToken: TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2));
    }
}
