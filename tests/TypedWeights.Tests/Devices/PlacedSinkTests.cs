using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Devices.Converting;
using TypedWeights.Devices.Cpu;
using TypedWeights.Devices.Placing;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Tests.Loading;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tests.Devices;

/// <summary>
/// Several devices on a machine that has one: real loads from real files, in which CPU sinks are doubles for those of the devices.
/// </summary>
public sealed class PlacedSinkTests : IDisposable
{
    private static readonly TestFile.Entry[] Entries =
    [
        TestFile.Noise("lm_head.weight", "F32", 32, 40, 10),
        TestFile.Noise("model.layers.0.a", "F32", 32, 1000),
        TestFile.Noise("model.layers.0.b", "F32", 32, 24),
        TestFile.Noise("model.layers.1.a", "F32", 32, 1000),
        TestFile.Noise("model.layers.1.b", "F32", 32, 24),
        TestFile.Noise("model.layers.10.a", "F32", 32, 1000),
        TestFile.Noise("model.layers.10.b", "F32", 32, 24),
        TestFile.Noise("model.layers.2.a", "F32", 32, 1000),
        TestFile.Noise("model.layers.2.b", "F32", 32, 24),
        TestFile.F32("model.empty", [0]),
        TestFile.Noise("model.norm.weight", "F32", 32, 10),
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_tensor_is_written_to_the_sink_of_its_device() => await AssertPlacedAsync(
        new Placement().Put("model.layers.{0..1}.*", "cuda:0").Put("model.layers.{2,10}.*", "cuda:1"),
        name => name.Contains("layers.0", StringComparison.Ordinal) || name.Contains("layers.1.", StringComparison.Ordinal) ? "cuda:0"
            : name.Contains("layers", StringComparison.Ordinal) ? "cuda:1" : "cpu");

    [Fact]
    public async Task Tensors_of_two_devices_may_alternate_within_one_range() => await AssertPlacedAsync(
        new Placement().Put("*.a", "cuda:0").Put("*.b", "cuda:1"),
        name => name.EndsWith(".a", StringComparison.Ordinal) ? "cuda:0" : name.EndsWith(".b", StringComparison.Ordinal) ? "cuda:1" : "cpu");

    [Fact]
    public async Task A_budget_fills_a_device_with_whole_layers_and_the_next_device_continues() => await AssertPlacedAsync(
        new Placement().Fill("cuda:0", (2 * 4096) + 4000).Fill("cuda:1", 2 * 4096),
        name => name is "model.empty"
            || name.Contains("layers.0", StringComparison.Ordinal) || name.Contains("layers.1.", StringComparison.Ordinal) ? "cuda:0"
            : name.Contains("layers", StringComparison.Ordinal) ? "cuda:1" : "cpu");

    [Fact]
    public async Task A_budget_counts_the_bytes_of_converted_tensors() => await AssertPlacedAsync(
        new Placement().Fill("cuda:0", 4 * 2048),
        name => name is "model.empty" || name.Contains("layers", StringComparison.Ordinal) ? "cuda:0" : "cpu",
        new() { DType = torch.bfloat16 });

    [Fact]
    public async Task Patterns_of_a_placement_precede_its_budgets() => await AssertPlacedAsync(
        new Placement().Fill("cuda:0", 1 << 20).Put("lm_head.*", "cuda:1"),
        name => name == "lm_head.weight" ? "cuda:1" : "cuda:0");

    [Fact]
    public void A_tensor_placed_on_two_devices_is_refused_under_its_own_and_its_tied_name()
    {
        TensorSelection selection = Selection("lm_head.weight", "a");
        selection = selection with { Names = [.. selection.Names, KeyValuePair.Create("embed.weight", 0)] };
        Lazy<UseOrder> order = new(() => UseOrder.Of(selection, []));

        Assert.Equal(
            "Placement: \"a\" is put on cuda:0 by \"a\" and on cuda:1 by \"*\"; a tensor has only one device.",
            Assert.Throws<WeightsException>(
                () => PlacedTensors.Of(new Placement().Put("a", "cuda:0").Put("*", "cuda:1"), selection, order, torch.CPU)).Message);
        Assert.Equal(
            "Placement: \"embed.weight\", which is tied to \"lm_head.weight\", is put on cuda:0 by \"lm_head.*\" and on cpu by \"embed.*\"; "
                + "a tensor has only one device.",
            Assert.Throws<WeightsException>(
                () => PlacedTensors.Of(new Placement().Put("lm_head.*", "cuda:0").Put("embed.*", "cpu"), selection, order, torch.CPU)).Message);
        torch.Device[] same = PlacedTensors.Of(new Placement().Put("embed.*", "cuda:1").Put("*.weight", "cuda:1"), selection, order, torch.CPU);
        Assert.Equal(["cuda:1", "cpu"], same.Select(PlacedTensors.Text));
    }

    private async Task AssertPlacedAsync(Placement placement, Func<string, string> expected, TensorLoadOptions? options = null)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        string path = TestFile.Write(_folder["m.safetensors"], Entries);
        var context = new TransferContext();
        await using var sources = new SourceRegistry(context, [new FileProvider()]);
        WeightUri uri = WeightUri.Parse(path);
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await sources.LocateAsync(uri, token), token);
        TensorSelection selection = TensorSelection.All(checkpoint);
        var doubles = new Dictionary<string, DeviceDouble>();
        long before = NativeTensors.Count();
        ITensorSink placed = new PlacedSink(placement, torch.CPU, device => doubles[PlacedTensors.Text(device)] = new DeviceDouble());
        ITensorSink sink = options is null ? placed : new ConvertingSink(placed, DTypeRule.Of(options)!, context.Options);
        await using (sink)
        {
            sink.SetSelection(selection, new(() => UseOrder.Of(selection, [])));
            TransferPlan plan = TransferPlan.Create(
                checkpoint.Files, selection.Tensors, PartLimits.Local, sink.ReadsOf(checkpoint.Files, selection.Tensors));
            SinkMemory memory = sink.MemoryOf(plan);
            var job = new TransferJob(plan, [.. checkpoint.Files.Select(file => file.Source)], sink, ReaderLimits.Local);
            await TransferRunner.RunAsync(job, context, token);

            foreach ((string name, int index) in selection.Names)
            {
                Assert.Equal((name, expected(name)), (name, PlacedTensors.Text(sink.DeviceOf(index))));
                Assert.Contains(name, doubles[expected(name)].Names);
                using torch.Tensor tensor = sink.TakeTensor(index);
                byte[] data = Entries.Single(entry => entry.Name == name).Data;
                Assert.True((options is null ? data : Narrow(data)).AsSpan().SequenceEqual(TensorBytes.Of(tensor)), name);
            }

            Assert.Equal(Entries.Length, doubles.Values.Sum(device => device.Names.Count));
            Assert.Equal(doubles.Values.Sum(device => device.Bytes), memory.TensorBytes);
        }

        NativeTensors.AssertNoneSince(before);
    }

    // Rounded to the nearest by libtorch.
    private static byte[] Narrow(byte[] data)
    {
        using torch.Tensor wide = torch.tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(data).ToArray());
        using torch.Tensor narrow = wide.to(torch.bfloat16);
        return TensorBytes.Of(narrow);
    }

    private static TensorSelection Selection(params string[] names) => new(
        [.. names.Select((name, i) => new CheckpointTensor(0, new TensorInfo(name, DType.U8, new TensorShape(1), i, i + 1)))],
        [.. names.Select((name, i) => KeyValuePair.Create(name, i))]);

    /// <summary>Stands for a device's sink: keeps what it was asked to make room for.</summary>
    private sealed class DeviceDouble : PerTensorSink
    {
        public List<string> Names { get; } = [];

        public long Bytes { get; private set; }

        protected override void Place(TransferPlan plan)
        {
            Names.AddRange(plan.Tensors.Select(tensor => tensor.Info.Name));
            Bytes += SinkMemory.InHost(plan).TensorBytes;
            base.Place(plan);
        }
    }
}
