using System.Buffers.Binary;
using System.Text.Json;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tests.Commands;

/// <summary>The headers of real models, each before as many bytes as the model has.</summary>
public sealed class RealModelTests
{
    [Fact]
    public async Task The_header_of_every_real_model_can_be_snapshotted_verified_and_inspected()
    {
        Assert.SkipWhen(
            SharedFolder.Headers is null, "The headers of real models lie outside the repository; TYPEDWEIGHTS_SHARED names their folder.");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file system of Windows gives a long file its blocks");
        using var folder = new TempFolder();
        var wrong = new List<string>();
        foreach (string header in Directory.GetFiles(SharedFolder.Headers!, "*.json").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(header) + ".safetensors";
            int tensors = WriteSparse(folder[name], await File.ReadAllBytesAsync(header, TestContext.Current.CancellationToken));
            ToolRun take = await ToolRun.InAsync(folder.Path, "snapshot", name, "--class", "Real", "-o", "weights/Real.weights.json");
            ToolRun again = await ToolRun.InAsync(folder.Path, "snapshot", name, "--class", "Real", "-o", "weights/Real.weights.json");
            ToolRun verify = await ToolRun.InAsync(folder.Path, "verify");
            ToolRun page = await ToolRun.InAsync(folder.Path, new Terminal(80, HasColor: false), "inspect", name);
            ToolRun json = await ToolRun.InAsync(folder.Path, "inspect", "--json", name);
            bool right = take.ExitCode + again.ExitCode + verify.ExitCode + page.ExitCode + json.ExitCode == 0
                && again.Out.Contains("unchanged", StringComparison.Ordinal)
                && JsonSerializer.Deserialize<JsonElement>(json.Out).GetProperty("tensors").GetArrayLength() == tensors
                && page.OutLines.All(line => line.Length <= 80);
            if (!right)
            {
                wrong.Add(name + ": " + take.Error + verify.All + page.Error);
            }

            File.Delete(folder[name]);
        }

        Assert.Empty(wrong);
    }

    private static int WriteSparse(string path, byte[] header)
    {
        IEnumerable<JsonProperty> entries = JsonSerializer.Deserialize<JsonElement>(header).EnumerateObject();
        JsonElement[] tensors = [.. entries.Where(entry => entry.Name != "__metadata__").Select(entry => entry.Value)];
        long data = tensors.Max(tensor => tensor.GetProperty("data_offsets")[1].GetInt64());
        using FileStream stream = File.Create(path);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        stream.SetLength(8 + header.Length + data);
        return tensors.Length;
    }
}
