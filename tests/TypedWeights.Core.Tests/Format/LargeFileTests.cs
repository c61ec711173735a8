using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Format;

public sealed class LargeFileTests
{
    [Fact]
    public async Task Opening_a_file_of_350_GB_reads_only_the_header()
    {
        const long Data = 350_000_000_000;
        using var folder = new TempFolder();
        byte[] header = Encoding.UTF8.GetBytes($$$"""{"huge":{"dtype":"U8","shape":[350000,1000000],"data_offsets":[0,{{{Data}}}]}}""");
        await using (var file = new FileStream(folder["huge.safetensors"], FileMode.CreateNew))
        {
            file.Write(Headers.File(header));
            file.SetLength(8 + header.Length + Data);
        }

        CancellationToken token = TestContext.Current.CancellationToken;
        await using var provider = new FileProvider();
        var uri = WeightUri.Parse(folder["huge.safetensors"]);
        var location = new WatchedLocation(await provider.LocateAsync(uri, token));
        await using (Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, location, token))
        {
            Assert.Equal(Data, checkpoint.Tensors["huge"].Info.ByteLength);
            Assert.Equal(8 + header.Length, location.BytesRead);
        }

        Assert.Equal(0, location.Open);
    }
}
