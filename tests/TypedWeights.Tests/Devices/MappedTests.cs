using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Tests.Loading;

namespace TypedWeights.Tests.Devices;

public sealed class MappedTests : IDisposable
{
    private static readonly TensorLoadOptions Mapped = new() { Storage = TensorStorage.Mapped };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_file_stays_mapped_until_its_last_tensor_is_disposed(bool portable)
    {
        ProcessMemory.SkipUnlessLinux();
        using PortableMemoryScope? scope = portable ? new PortableMemoryScope() : null;
        TestFile.Entry[] entries = [TestFile.Noise("a", "U8", 8, 100_000), TestFile.Noise("b", "U8", 8, 3), TestFile.Noise("c", "I8", 8, 2, 2)];
        string path = TestFile.Write(_folder["m.safetensors"], entries);
        long tensors = NativeTensors.Count();

        WeightSet weights = await LoadAsync(path);
        (long begin, long end, _) = Assert.Single(ProcessMemory.Mappings(path));
        long dataStart = new FileInfo(path).Length - entries.Sum(entry => entry.Data.Length);
        Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(weights[entry.Name])));
        Assert.All(weights.Values, tensor => Assert.InRange(TensorData.Address(tensor), begin, end - 1));
        Assert.Equal(begin + dataStart, TensorData.Address(weights["a"]));

        torch.Tensor kept = weights.Detach("b");
        weights.Dispose();
        Assert.Equal(entries[1].Data, TensorBytes.Of(kept));
        Assert.Single(ProcessMemory.Mappings(path));
        kept.Dispose();

        Assert.Empty(ProcessMemory.Mappings(path));
        NativeTensors.AssertNoneSince(tensors);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Changes_of_a_mapped_tensor_do_not_reach_the_file(bool portable)
    {
        using PortableMemoryScope? scope = portable ? new PortableMemoryScope() : null;
        string path = WriteAligned("m.safetensors", [TestFile.F32("w", [2], 1, 2)]);
        byte[] before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);

        using (WeightSet weights = await LoadAsync(path))
        {
            weights["w"].fill_(9);
            Assert.Equal(18f, weights["w"].sum().item<float>());
        }

        Assert.Equal(before, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Only_unaligned_tensors_of_a_mapped_file_are_read_into_memory()
    {
        ProcessMemory.SkipUnlessLinux();

        // Whatever the header's length, of two floats with three bytes between them at least one is unaligned.
        TestFile.Entry[] entries =
            [TestFile.F32("first", [2], 1, 2), TestFile.Noise("bytes", "U8", 8, 3), TestFile.F32("second", [2], 3, 4), TestFile.F32("none", [0])];
        string path = WriteAligned("m.safetensors", entries);
        var progress = new ProgressLog();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, Mapped, progress, TestContext.Current.CancellationToken);
        (long begin, long end, _) = Assert.Single(ProcessMemory.Mappings(path));

        Assert.InRange(TensorData.Address(weights["first"]), begin, end);
        Assert.InRange(TensorData.Address(weights["bytes"]), begin, end);
        Assert.NotInRange(TensorData.Address(weights["second"]), begin, end);
        Assert.Equal(0, TensorData.Address(weights["second"]) % 4);
        Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(weights[entry.Name])));
        LoadProgress last = progress.Reports.Last();
        Assert.Equal((8, 8, 4, 4), (last.Bytes, last.BytesTotal, last.Tensors, last.TensorsTotal));
    }

    [Fact]
    public async Task Tensors_of_every_dtype_are_mapped_with_their_bytes()
    {
        TestFile.Entry[] entries = [.. DTypes.All.OrderByDescending(dtype => dtype.BitSize()).Select(
            dtype => TestFile.Noise(dtype.Name(), dtype.Name(), dtype.BitSize(), 3, 8))];
        string path = WriteAligned("all.safetensors", entries);

        using WeightSet weights = await LoadAsync(path);

        Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(weights[entry.Name])));
    }

    [Fact]
    public async Task A_tied_name_is_a_second_handle_on_the_mapped_tensor()
    {
        string path = TestFile.Write(
            _folder["tied.safetensors"],
            [TestFile.Noise("kept", "U8", 8, 5)],
            new Dictionary<string, string> { ["alias"] = "kept", ["tie:alias"] = "kept" });

        using WeightSet weights = await LoadAsync(path);

        Assert.Equal(TensorData.Address(weights["kept"]), TensorData.Address(weights["alias"]));
    }

    [Fact]
    public async Task Each_shard_of_a_model_is_mapped_once()
    {
        ProcessMemory.SkipUnlessLinux();
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["model-00001-of-00002.safetensors"] = [TestFile.Noise("a", "U8", 8, 9), TestFile.Noise("b", "U8", 8, 9)],
            ["model-00002-of-00002.safetensors"] = [TestFile.Noise("c", "U8", 8, 9)],
        });

        using (WeightSet weights = await LoadAsync(index))
        {
            Assert.Equal(3, weights.Count);
            Assert.Equal(2, ProcessMemory.Mappings(".safetensors").Count);
        }

        Assert.Empty(ProcessMemory.Mappings(".safetensors"));
    }

    [Fact]
    public async Task A_mapped_model_can_be_saved_over_its_own_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody replace a mapped file");
        TestFile.Entry[] entries = [TestFile.F32("w", [2], 1, 2), TestFile.Noise("bytes", "U8", 8, 100_000)];
        string path = WriteAligned("m.safetensors", entries);
        using WeightSet weights = await LoadAsync(path);
        weights["w"].fill_(7);

        await weights.SaveAsync(path, TestContext.Current.CancellationToken);
        using WeightSet again = await LoadAsync(path);

        Assert.Equal(14f, again["w"].sum().item<float>());
        Assert.Equal(entries[1].Data, TensorBytes.Of(again["bytes"]));
        Assert.Equal(14f, weights["w"].sum().item<float>());
        Assert.Equal(entries[1].Data, TensorBytes.Of(weights["bytes"]));
    }

    [Fact]
    public async Task A_mapped_file_that_breaks_the_contract_is_refused_and_unmapped()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("other", [1], 1)]);

        await Assert.ThrowsAsync<WeightMismatchException>(() => WeightLoader.Default.LoadAsync<TinyModel>(
            path, new() { Storage = TensorStorage.Mapped }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.False(OperatingSystem.IsLinux() && ProcessMemory.Mappings(path).Count > 0);
    }

    [Fact]
    public async Task A_typed_model_is_bound_to_the_mapped_file()
    {
        string path = TestFile.Write(_folder["m.safetensors"], TinyModel.Entries, TinyModel.Tied);

        using TinyModel model = await TinyModel.LoadAsync(
            path, new() { Storage = TensorStorage.Mapped }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(TinyModel.Entries[0].Data, TensorBytes.Of(model.LmHead.Weight));
    }

    [Fact]
    public async Task Mapping_a_remote_file_is_an_error_that_says_to_download_it()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/m.safetensors"] = TestFile.Bytes([TestFile.F32("w", [1], 1)]);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(server.Address + "/m.safetensors"));

        Assert.Contains("download the file and load it from its path", error.Message, StringComparison.Ordinal);
    }

    private static Task<WeightSet> LoadAsync(string path) =>
        WeightLoader.Default.LoadTensorsAsync(path, Mapped, cancellationToken: TestContext.Current.CancellationToken);

    // Pads the header with spaces, as usual writers do, so that data begins at a multiple of eight.
    private string WriteAligned(string name, TestFile.Entry[] entries)
    {
        byte[] bytes = TestFile.Bytes(entries);
        int header = BitConverter.ToInt32(bytes);
        int padding = -header & 7;
        byte[] padded = [.. BitConverter.GetBytes((long)header + padding), .. bytes.AsSpan(8, header),
            .. Enumerable.Repeat((byte)' ', padding), .. bytes.AsSpan(8 + header)];
        File.WriteAllBytes(_folder[name], padded);
        return _folder[name];
    }
}
