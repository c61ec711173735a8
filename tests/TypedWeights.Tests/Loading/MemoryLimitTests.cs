using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Loading;

public sealed class MemoryLimitTests : IAsyncLifetime
{
    private const int Size = 10_000_000;

    // Whole huge pages.
    private const long Room = 5 << 21;

    private readonly TempFolder _folder = new();
    private FileServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FileServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Tensors_beyond_the_memory_of_the_system_are_an_error_that_names_the_file()
    {
        const string Overcommit = "/proc/sys/vm/overcommit_memory";
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && (await File.ReadAllTextAsync(Overcommit, TestContext.Current.CancellationToken)).Trim() != "1",
            "this system promises memory that it does not have");
        const long Data = 3L << 40;
        byte[] header = Encoding.UTF8.GetBytes($$$"""{"huge":{"dtype":"U8","shape":[{{{Data}}}],"data_offsets":[0,{{{Data}}}]}}""");
        await using (var file = new FileStream(_folder["huge.safetensors"], FileMode.CreateNew))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            file.SetLength(8 + header.Length + Data);
        }

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(
            () => WeightLoader.Default.LoadTensorsAsync(_folder["huge.safetensors"], cancellationToken: TestContext.Current.CancellationToken));

        Assert.StartsWith(_folder["huge.safetensors"] + ": the system could not allocate ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("for 1 tensors; use TensorStorage.Mapped, which needs less memory.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_load_beyond_the_memory_limit_is_refused_with_the_numbers_before_it_allocates()
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, Size)]);
        _server.Files["/m.safetensors"] = file;
        string uri = $"{_server.Address}/m.safetensors";
        long tensors = NativeTensors.Count();

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(() => LoadAsync(uri, Size));

        Assert.Equal((Room, (long)Size), (error.TensorBytes, error.Limit));
        Assert.Equal(
            $"{uri}: 10,485,760 bytes for tensors and {error.BufferBytes:N0} for buffers, {Room + error.BufferBytes:N0} in all: more than the "
                + "10,000,000 of the option MemoryLimit. Raise it, or select fewer tensors (Filter, in an untyped load).",
            error.Message);
        Assert.All(_server.Requests, request => Assert.Matches("^bytes=[0-8]-", request.Range));
        NativeTensors.AssertNoneSince(tensors);

        using WeightSet fits = await LoadAsync(uri, Room + error.BufferBytes);
        Assert.Single(fits);
        await Assert.ThrowsAsync<MemoryLimitException>(() => LoadAsync(uri, Room + error.BufferBytes - 1));
    }

    [Fact]
    public async Task A_header_that_claims_an_impossible_size_is_refused_without_allocating()
    {
        // A header of some eighty bytes, and behind it, says the server, a pebibyte.
        const long Claimed = 1L << 50;
        byte[] file = TestFile.Bytes([new TestFile.Entry("a", "U8", [Claimed], [])]);
        string text = Encoding.UTF8.GetString(file, 8, file.Length - 8).TrimEnd().Replace("[0,0]", $"[0,{Claimed}]", StringComparison.Ordinal);
        byte[] start = [.. BitConverter.GetBytes((long)text.Length), .. Encoding.UTF8.GetBytes(text)];
        _server.Intercept = async context =>
        {
            (long from, long to) = context.Request.Headers.Range == "bytes=0-7" ? (0, 7) : (8, start.Length - 1);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{start.Length + Claimed}";
            await context.Response.Body.WriteAsync(start.AsMemory((int)from, (int)(to - from + 1)));
            return true;
        };
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        long before = GC.GetTotalAllocatedBytes(precise: true);

        WeightsException error = await Assert.ThrowsAnyAsync<WeightsException>(() => loader.LoadTensorsAsync(
            $"{_server.Address}/m.safetensors", new() { MemoryLimit = 1 << 30 }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("1,125,899,906,842,624 bytes", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 256 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_typed_load_beyond_the_memory_limit_is_refused_from_a_disk_and_from_a_server(bool isRemote)
    {
        _server.Files["/model.safetensors"] = TestFile.Bytes(TinyModel.Entries, TinyModel.Tied);
        string path = TestFile.Write(_folder["model.safetensors"], TinyModel.Entries, TinyModel.Tied);
        string uri = isRemote ? $"{_server.Address}/model.safetensors" : path;
        long tensors = NativeTensors.Count();

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(() => WeightLoader.Default.LoadAsync<TinyModel>(
            uri, new() { MemoryLimit = 100 }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.StartsWith($"{uri}: ", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.TensorBytes, TinyModel.Entries.Sum(entry => entry.Data.Length), 5 * 64);
        NativeTensors.AssertNoneSince(tensors);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_header_beyond_the_memory_limit_is_refused_before_it_is_fetched(bool isRemote)
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 4)], new Dictionary<string, string> { ["note"] = new('x', 2_000_000) });
        _server.Files["/m.safetensors"] = file;
        await File.WriteAllBytesAsync(_folder["m.safetensors"], file, TestContext.Current.CancellationToken);
        string uri = isRemote ? $"{_server.Address}/m.safetensors" : _folder["m.safetensors"];

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(() => LoadAsync(uri, 7_000_000));

        Assert.Contains("a header of 2,000,", error.Message, StringComparison.Ordinal);
        Assert.Contains("the 7,000,000 of the option MemoryLimit", error.Message, StringComparison.Ordinal);
        Assert.All(_server.Requests, request => Assert.Equal("bytes=0-7", request.Range));
        using WeightSet fits = await LoadAsync(uri, isRemote ? 20_000_000 : 9_000_000);
        Assert.Single(fits);
    }

    [Fact]
    public async Task An_endless_index_is_read_no_further_than_the_memory_limit_allows()
    {
        long sent = 0;
        _server.Intercept = async context =>
        {
            // A chunked answer to everything: an index that does not end, unless the reader does.
            byte[] spaces = Encoding.UTF8.GetBytes("{\"weight_map\":{" + new string(' ', 1_000_000));
            while (Interlocked.Add(ref sent, spaces.Length) < 2_000_000_000 && !context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(spaces, context.RequestAborted);

                // Between the end of a connection and the moment at which the server hears of it, writes cost nothing and are counted.
                await Task.Delay(1, context.RequestAborted);
            }

            return true;
        };

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
            () => LoadAsync($"{_server.Address}/model.safetensors.index.json", 20_000_000));

        Assert.Contains("the 20,000,000 of the option MemoryLimit", error.Message, StringComparison.Ordinal);
        Assert.InRange(Interlocked.Read(ref sent), 0, 200_000_000);
    }

    [Fact]
    public async Task Mapped_and_filtered_out_tensors_do_not_count_for_the_memory_limit()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, Size), TestFile.Noise("b", "U8", 8, 4)]);

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(() => LoadAsync(path, Size));
        using WeightSet mapped = await LoadAsync(path, 100_000, new() { Storage = TensorStorage.Mapped });
        using WeightSet some = await LoadAsync(path, 100_000, new() { Filter = name => name == "b" });

        Assert.Contains("TensorStorage.Mapped", error.Message, StringComparison.Ordinal);
        Assert.Equal((2, 1), (mapped.Count, some.Count));
    }

    [Fact]
    public async Task Buffers_beyond_the_buffer_limit_are_refused()
    {
        _server.Files["/m.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, Size)]);
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(new() { BufferLimit = 1 << 20, PartSize = 64 << 10, MaxConnections = 40 }).Build();

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
            () => loader.LoadTensorsAsync($"{_server.Address}/m.safetensors", cancellationToken: TestContext.Current.CancellationToken));

        Assert.InRange(error.BufferBytes, 40 * (320 << 10), (40 * (320 << 10)) + 10_000);
        Assert.EndsWith(
            "in all: more for buffers than the 1,048,576 of TransferOptions.BufferLimit. Raise it, or lower its MaxConnections.",
            error.Message,
            StringComparison.Ordinal);
    }

    private static Task<WeightSet> LoadAsync(string uri, long limit, TensorLoadOptions? options = null) =>
        WeightLoader.Default.LoadTensorsAsync(
            uri, (options ?? new()) with { MemoryLimit = limit }, cancellationToken: TestContext.Current.CancellationToken);
}
