using TorchSharp;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading;

/// <summary><see cref="CommonLoadOptions.DType"/>: against what libtorch itself makes of the same bytes.</summary>
public sealed class ConversionTests : IDisposable
{
    // By the enum: the fields of torch load libtorch, and tests are found before it can be.
    private static readonly torch.ScalarType[] Targets =
        [torch.ScalarType.BFloat16, torch.ScalarType.Float16, torch.ScalarType.Float32, torch.ScalarType.Float64];

    private static readonly DType[] Floating = [DType.F64, DType.F32, DType.F16, DType.BF16];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, torch.ScalarType> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, torch.ScalarType>();
            foreach (string from in new[] { "F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "I64", "I32", "U8", "BOOL", "U16" })
            {
                foreach (torch.ScalarType to in Targets)
                {
                    pairs.Add(from, to);
                }
            }

            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_converted_tensor_equals_the_conversion_of_libtorch_bit_for_bit(string from, torch.ScalarType to)
    {
        Assert.True(DTypes.TryParse(from, out DType dtype));
        TestFile.Entry entry = TestFile.Noise("noise", from, dtype.BitSize(), 3, 70_001);
        if (dtype == DType.Bool)
        {
            entry = entry with { Data = [.. entry.Data.Select(value => (byte)(value & 1))] };
        }

        string path = TestFile.Write(_folder["m.safetensors"], [entry, TestFile.F32("empty", [0, 3])]);
        using WeightSet plain = await LoadAsync(path, new());
        using torch.Tensor expected = plain["noise"].to(to);

        using WeightSet converted = await LoadAsync(path, new() { DType = to, ConvertWhere = static _ => true });

        Assert.Equal(to, converted["noise"].dtype);
        Assert.Equal([3, 70_001], converted["noise"].shape);
        Assert.True(TensorBytes.Of(expected).AsSpan().SequenceEqual(TensorBytes.Of(converted["noise"])), $"{from} to {to} differs");
        Assert.Equal((to, 0L), (converted["empty"].dtype, converted["empty"].numel()));
        WeightEntry shown = converted.Entry("noise");
        Assert.Equal((dtype, to), (shown.DType, shown.TensorDType));
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Only_floating_point_tensors_are_converted_by_default(TensorStorage storage)
    {
        TestFile.Entry[] entries =
        [
            .. DTypes.All.Select(dtype => TestFile.Noise($"t.{dtype.Name()}", dtype.Name(), dtype.BitSize(), 64)),
        ];
        string path = TestFile.Write(_folder["m.safetensors"], entries);
        using WeightSet plain = await LoadAsync(path, new());

        using WeightSet converted = await LoadAsync(path, new() { DType = torch.bfloat16, Storage = storage });

        foreach (DType dtype in DTypes.All)
        {
            string name = $"t.{dtype.Name()}";
            using torch.Tensor expected = Floating.Contains(dtype) ? plain[name].to(torch.bfloat16) : plain[name].alias();
            Assert.Equal(expected.dtype, converted[name].dtype);
            Assert.True(TensorBytes.Of(expected).AsSpan().SequenceEqual(TensorBytes.Of(converted[name])), name);
        }
    }

    [Fact]
    public async Task Elements_that_two_ranges_split_are_converted_correctly()
    {
        // An odd number of bytes before it, and parts that begin at multiples of 4096: nearly every cut goes through an element.
        TestFile.Entry[] entries = [TestFile.Noise("odd", "U8", 8, 4099), TestFile.Noise("wide", "F64", 64, 200_001), TestFile.F32("one", [], 0.1f)];
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(TestFile.Bytes(entries));
        string path = TestFile.Write(_folder["m.safetensors"], entries);
        using WeightSet plain = await LoadAsync(path, new());
        using torch.Tensor expected = plain["wide"].to(torch.bfloat16);
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(new() { PartSize = 64 << 10 }).Build();

        using WeightSet converted = await loader.LoadTensorsAsync(
            $"{server.Address}/m.safetensors", new() { DType = torch.bfloat16 }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains(server.Payloads, request => (request.From - server.Files["/m.safetensors"].DataStart - 4099) % 8 != 0);
        Assert.True(TensorBytes.Of(expected).AsSpan().SequenceEqual(TensorBytes.Of(converted["wide"])), "an element was split and not joined");
        Assert.Equal(0.10009765625f, converted["one"].to(torch.float32).item<float>());
    }

    [Fact]
    public async Task A_conversion_to_wider_elements_works_with_one_buffer_for_many_readers()
    {
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(
            TestFile.Bytes([TestFile.Noise("a", "BF16", 16, 2_000_000), TestFile.Noise("b", "F16", 16, 999_999)]));
        var transfer = new TransferOptions { PartSize = 1 << 20, BufferLimit = 3_900_000, MinConnections = 8, MaxConnections = 8 };
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(transfer).Build();
        long before = NativeTensors.Count();

        using (WeightSet converted = await loader.LoadTensorsAsync(
            $"{server.Address}/m.safetensors",
            new() { Device = torch.CPU, DType = torch.float32 },
            cancellationToken: TestContext.Current.CancellationToken))
        {
            using WeightSet plain = await loader.LoadTensorsAsync(
                $"{server.Address}/m.safetensors", cancellationToken: TestContext.Current.CancellationToken);
            foreach (string name in new[] { "a", "b" })
            {
                using torch.Tensor expected = plain[name].to(torch.float32);
                Assert.True(TensorBytes.Of(expected).AsSpan().SequenceEqual(TensorBytes.Of(converted[name])), name);
            }
        }

        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task The_log_counts_values_that_the_conversion_made_infinite()
    {
        string path = TestFile.Write(
            _folder["m.safetensors"],
            [TestFile.F32("large", [40], [.. Enumerable.Repeat(1e6f, 37), 65_504f, float.PositiveInfinity, float.NaN]),
                TestFile.F32("small", [1], 1)]);
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).Build();

        using WeightSet converted = await loader.LoadTensorsAsync(
            path, new() { DType = torch.float16 }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(38, converted["large"].isinf().sum().item<long>());
        Assert.Contains($"{path}: 2 of 2 tensors were converted from F32 to F16", lines.Lines);
        Assert.Contains($"{path}: 37 finite values became infinite in F16, in 1 tensors, the first of which is large", lines.Lines);
    }

    [Fact]
    public async Task Converted_tensors_and_their_buffers_count_for_the_memory_limit()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", "F32", 32, 3_000_000)]);

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
            () => LoadAsync(path, new() { Device = torch.CPU, DType = torch.bfloat16, MemoryLimit = 1 }));
        using WeightSet fits = await LoadAsync(
            path, new() { Device = torch.CPU, DType = torch.bfloat16, MemoryLimit = error.TensorBytes + error.BufferBytes });

        Assert.Equal(6 << 20, error.TensorBytes);
        Assert.InRange(error.BufferBytes, 12_000_000, 18 << 20);
    }

    [Fact]
    public async Task A_converted_model_is_saved_in_its_converted_dtype()
    {
        string path = TestFile.Write(_folder["m.safetensors"], TinyModel.Entries, TinyModel.Tied);
        using TinyModel model = await TinyModel.LoadAsync(
            path, new() { DType = torch.bfloat16 }, null, TestContext.Current.CancellationToken);

        await model.SaveAsync(_folder["saved.safetensors"], TestContext.Current.CancellationToken);
        using WeightSet saved = await LoadAsync(_folder["saved.safetensors"], new());

        Assert.Equal(DType.BF16, saved.Entry("lm_head.weight").DType);
        Assert.Equal(23f, saved["model.norm.weight"].to(torch.float32).sum().item<float>());
        Assert.Equal(DType.F32, model.Weights.Entry("model.embed_tokens.weight").DType);
        Assert.Equal(torch.bfloat16, model.Model.EmbedTokens.Weight.dtype);
    }

    [Fact]
    public async Task Invalid_conversion_options_are_refused_with_the_reason()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1), TestFile.Noise("packed", "F4", 4, 8)]);

        await RefusedAsync(new() { DType = torch.bfloat16, Storage = TensorStorage.Mapped }, "TensorStorage.Mapped");
        await RefusedAsync(new() { DType = torch.int32 }, "The option DType is Int32");
        await RefusedAsync(new() { ConvertWhere = static _ => true }, "set DType to the type to convert to");
        await RefusedAsync(new() { DType = torch.bfloat16, ConvertWhere = static _ => true }, "\"packed\" is F4");

        async Task RefusedAsync(TensorLoadOptions options, string part)
        {
            long before = NativeTensors.Count();
            WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => LoadAsync(path, options));
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
            NativeTensors.AssertNoneSince(before);
        }
    }

    [Fact]
    public async Task A_failed_load_with_conversion_frees_everything()
    {
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(NoiseFile.Bytes);
        server.Answer = request => request.Payload == 3 ? Respond.Status(404) : null;
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(new() { PartSize = 256 << 10 }).Build();
        long before = NativeTensors.Count();

        await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(
            $"{server.Address}/m.safetensors", new() { DType = torch.float16 }, cancellationToken: TestContext.Current.CancellationToken));

        NativeTensors.AssertNoneSince(before);
        await server.WaitUntilIdleAsync();
    }

    private static Task<WeightSet> LoadAsync(string path, TensorLoadOptions options) =>
        WeightLoader.Default.LoadTensorsAsync(path, options, cancellationToken: TestContext.Current.CancellationToken);
}
