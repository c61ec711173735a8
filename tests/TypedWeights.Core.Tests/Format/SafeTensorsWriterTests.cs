using System.Text;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Format;

public sealed class SafeTensorsWriterTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_header_is_compact_and_padded_and_ordered_by_dtype_and_then_by_name()
    {
        string path = _folder["a.safetensors"];
        await SafeTensorsWriter.WriteAsync(
            path,
            [
                Entry("b", DType.F32, [1], 1), Entry("a", DType.BF16, [1, 2], 2),
                Entry("a.flag", DType.Bool, [], 3), Entry("a32", DType.F32, [0], 4),
            ],
            new Dictionary<string, string> { ["z"] = "1", ["format"] = "pt" },
            Token);

        byte[] bytes = await File.ReadAllBytesAsync(path, Token);
        const string Expected = "{\"__metadata__\":{\"format\":\"pt\",\"z\":\"1\"},"
            + "\"a32\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"a\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[4,8]},"
            + "\"a.flag\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[8,9]}}";
        int padded = (Expected.Length + 7) / 8 * 8;
        Assert.Equal((ulong)padded, BitConverter.ToUInt64(bytes));
        Assert.Equal(Expected.PadRight(padded), Encoding.UTF8.GetString(bytes.AsSpan(8, padded)));
        Assert.Equal<byte[]>([1, 1, 1, 1, 2, 2, 2, 2, 3], bytes[(8 + padded)..]);
    }

    [Theory]
    [InlineData(false, "{}      ")]
    [InlineData(true, "{\"__metadata__\":{}}     ")]
    public async Task A_file_without_tensors_can_be_written(bool withMetadata, string header)
    {
        // The reference writes {},"__metadata__":{}} here, which it cannot read.
        await SafeTensorsWriter.WriteAsync(_folder["e.safetensors"], [], withMetadata ? new Dictionary<string, string>() : null, Token);
        byte[] bytes = await File.ReadAllBytesAsync(_folder["e.safetensors"], Token);
        Assert.Equal(header, Encoding.UTF8.GetString(bytes.AsSpan(8)));
        Assert.Empty((await Headers.ReadAsync(bytes)).Tensors);
    }

    [Fact]
    public async Task A_file_of_the_reference_writer_is_written_again_with_identical_bytes()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference_writer.safetensors");
        await Rewriting.AssertSameBytesAsync(path, _folder["again.safetensors"], Token);
    }

    [Fact]
    public async Task A_reader_of_a_file_that_is_overwritten_keeps_the_old_bytes()
    {
        string path = _folder["model.safetensors"];
        await SafeTensorsWriter.WriteAsync(path, [Entry("a", DType.U8, [3], 1)], cancellationToken: Token);
        byte[] old = await File.ReadAllBytesAsync(path, Token);
        await using FileSource reader = FileSource.Open(path, "old");

        await SafeTensorsWriter.WriteAsync(path, [Entry("a", DType.U8, [5], 2)], cancellationToken: Token);

        Assert.Equal(old, await reader.ReadAsync(0, old.Length, Token));
        Assert.Equal(old.Length + 2, new FileInfo(path).Length);
        Assert.Equal(["model.safetensors"], Names());
    }

    [Fact]
    public async Task Saving_over_a_file_keeps_its_permissions()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        const UnixFileMode All = Private | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        string path = _folder["model.safetensors"];
        await SafeTensorsWriter.WriteAsync(path, [Entry("a", DType.U8, [3], 1)], cancellationToken: Token);
        foreach (UnixFileMode mode in (UnixFileMode[])[Private, All, UnixFileMode.UserRead])
        {
            File.SetUnixFileMode(path, mode);

            await SafeTensorsWriter.WriteAsync(path, [Entry("a", DType.U8, [5], 2)], cancellationToken: Token);

            Assert.Equal(mode, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task A_file_of_another_user_does_not_set_the_permissions_of_the_saved_file()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only root can give a file to another user");
            return;
        }

        await SafeTensorsWriter.WriteAsync(_folder["new.safetensors"], [Entry("a", DType.U8, [3], 1)], cancellationToken: Token);
        OddFile.OfAnotherUser(_folder["model.safetensors"], "0666");

        await SafeTensorsWriter.WriteAsync(_folder["model.safetensors"], [Entry("a", DType.U8, [3], 1)], cancellationToken: Token);

        Assert.Equal(File.GetUnixFileMode(_folder["new.safetensors"]), File.GetUnixFileMode(_folder["model.safetensors"]));
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("too few")]
    [InlineData("too many")]
    [InlineData("cancels")]
    public async Task A_failed_save_leaves_the_old_file_and_no_temporary_file(string how)
    {
        string path = _folder["model.safetensors"];
        await File.WriteAllTextAsync(path, "old", Token);
        using var cancel = new CancellationTokenSource();
        var entry = new SafeTensorsEntry("w\u202e", DType.F32, new TensorShape(2), async (stream, token) =>
        {
            await stream.WriteAsync(new byte[4], token);
            Assert.Equal(2, Names().Length);
            switch (how)
            {
                case "throws":
                    throw new InvalidDataException("the tensor is gone");
                case "too many":
                    stream.Write(new byte[5]);
                    break;
                case "cancels":
                    await cancel.CancelAsync();
                    stream.Write(new byte[4]);
                    break;
            }
        });

        Task writing = SafeTensorsWriter.WriteAsync(path, [Entry("first", DType.F64, [1], 1), entry], cancellationToken: cancel.Token);
        switch (how)
        {
            case "throws":
                await Assert.ThrowsAsync<InvalidDataException>(() => writing);
                break;
            case "cancels":
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
                break;
            default:
                var error = await Assert.ThrowsAsync<WeightsException>(() => writing);
                Assert.Contains("\"w\\u{202E}\" is F32 [2], 8 bytes", error.Message, StringComparison.Ordinal);
                Assert.Contains(how == "too few" ? "4 were written" : "9 or more were written", error.Message, StringComparison.Ordinal);
                break;
        }

        Assert.Equal("old", await File.ReadAllTextAsync(path, Token));
        Assert.Equal(["model.safetensors"], Names());
    }

    [Fact]
    public async Task The_stream_of_a_tensor_is_closed_after_its_write_callback_returns()
    {
        Stream? kept = null;
        var entry = new SafeTensorsEntry("a", DType.U8, new TensorShape(1), (stream, _) =>
        {
            kept = stream;
            stream.WriteByte(7);
            return ValueTask.CompletedTask;
        });
        await SafeTensorsWriter.WriteAsync(_folder["a.safetensors"], [entry], cancellationToken: Token);
        Assert.Throws<ObjectDisposedException>(() => kept!.WriteByte(8));
    }

    [Fact]
    public async Task Tensors_and_metadata_that_the_format_cannot_hold_are_refused_before_anything_is_written()
    {
        AssertRefused("__metadata__", static () => Entry("__metadata__", DType.U8, [1], 0));
        AssertRefused("surrogate", static () => Entry("a\ud800", DType.U8, [1], 0));
        AssertRefused("12 bits", static () => Entry("a", DType.F4, [3], 0));
        AssertRefused("larger", static () => Entry("a", DType.U8, [1UL << 32, 1UL << 32], 0));
        AssertRefused("3 were passed", static () => new SafeTensorsEntry("a", DType.U16, new TensorShape(2), new byte[3]));

        string path = _folder["never.safetensors"];
        SafeTensorsEntry[] twins = [Entry("a", DType.U8, [1], 0), Entry("a", DType.F32, [1], 0)];
        await AssertRefusedAsync("\"a\"", () => SafeTensorsWriter.WriteAsync(path, twins, cancellationToken: Token));
        var metadata = new Dictionary<string, string> { ["k"] = new('x', 100_000_000) };
        await AssertRefusedAsync("100000000", () => SafeTensorsWriter.WriteAsync(path, [], metadata, Token));
        var half = new TensorShape((1UL << 61) - 8);
        SafeTensorsEntry[] huge =
            [.. Enumerable.Range(0, 5).Select(i => new SafeTensorsEntry($"{i}", DType.U8, half, static (_, _) => default))];
        await AssertRefusedAsync("larger than a file", () => SafeTensorsWriter.WriteAsync(path, huge, cancellationToken: Token));
        Assert.Empty(Names());
    }

    [Fact]
    public async Task Saving_into_a_missing_folder_or_onto_a_folder_is_an_error_that_names_the_path()
    {
        var absent = await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => SafeTensorsWriter.WriteAsync(_folder["no/such/a.safetensors"], [], cancellationToken: Token));
        Assert.Contains("no/such/a.safetensors", absent.Message, StringComparison.Ordinal);
        var isFolder = await Assert.ThrowsAsync<IOException>(
            () => SafeTensorsWriter.WriteAsync(_folder.Path, [], cancellationToken: Token));
        Assert.Contains("is a folder", isFolder.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Saving_through_a_symbolic_link_replaces_the_target_of_the_link()
    {
        Directory.CreateDirectory(_folder["blobs"]);
        await File.WriteAllTextAsync(_folder["blobs/1"], "old", Token);
        File.CreateSymbolicLink(_folder["model.safetensors"], Path.Combine("blobs", "1"));

        await SafeTensorsWriter.WriteAsync(_folder["model.safetensors"], [Entry("a", DType.U8, [1], 5)], cancellationToken: Token);

        Assert.NotNull(new FileInfo(_folder["model.safetensors"]).LinkTarget);
        Assert.Equal("a", (await Headers.ReadAsync(await File.ReadAllBytesAsync(_folder["blobs/1"], Token))).Tensors.Single().Name);
    }

    [Fact]
    public async Task Saving_over_a_file_of_the_hub_cache_replaces_the_link_and_leaves_the_blob()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        string blob = _folder["blobs/" + new string('a', 64)], link = _folder["snapshots/1/model.safetensors"];
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        await File.WriteAllTextAsync(blob, "shared", Token);
        File.CreateSymbolicLink(link, "../../blobs/" + Path.GetFileName(blob));

        await SafeTensorsWriter.WriteAsync(link, [Entry("a", DType.U8, [1], 5)], cancellationToken: Token);

        Assert.Equal("shared", await File.ReadAllTextAsync(blob, Token));
        Assert.Null(new FileInfo(link).LinkTarget);
        Assert.Equal("a", (await Headers.ReadAsync(await File.ReadAllBytesAsync(link, Token))).Tensors.Single().Name);
    }

    private static void AssertRefused(string says, Func<SafeTensorsEntry> make) =>
        Assert.Contains(says, Assert.Throws<ArgumentException>(make).Message, StringComparison.Ordinal);

    private static async Task AssertRefusedAsync(string says, Func<Task> write) =>
        Assert.Contains(says, (await Assert.ThrowsAsync<ArgumentException>(write)).Message, StringComparison.Ordinal);

    private static SafeTensorsEntry Entry(string name, DType dtype, ulong[] shape, byte fill)
    {
        var tensor = new TensorShape(shape);
        Assert.True(!tensor.TryGetElementCount(out ulong count) || count < 1000);
        return new SafeTensorsEntry(name, dtype, tensor, Enumerable.Repeat(fill, (int)count * dtype.BitSize() / 8).ToArray());
    }

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(static path => Path.GetFileName(path))];
}
