using System.Text;
using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>Files that change at their source while they are downloaded.</summary>
public sealed class ChangingFileDownloadTests : DownloadTest
{
    [Fact]
    public async Task An_index_without_a_validator_that_changes_during_a_download_is_detected_at_the_end()
    {
        const string Shard = "1.safetensors";
        string index = $"{{\"weight_map\":{{\"a\":\"{Shard}\"}}}}";
        int asked = 0;

        // No validator, and an index that puts another tensor into the shard once it has been read.
        Server.Intercept = async context =>
        {
            bool isIndex = context.Request.Path.Value!.EndsWith(".json", Ordinal);
            string now = isIndex && Interlocked.Increment(ref asked) > 2 ? index.Replace("\"a\"", "\"b\"", Ordinal) : index;
            byte[] bytes = isIndex ? Encoding.UTF8.GetBytes(now) : TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);
            await Results.Bytes(bytes, enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/model.safetensors.index.json", "model");

        Assert.Contains("the file was replaced while it was downloaded; download it again.", run.Error, Ordinal);
        Assert.False(File.Exists(Folder["model/model.safetensors.index.json"]));
    }

    [Fact]
    public async Task A_file_without_a_validator_that_changes_during_a_download_is_detected_at_the_end()
    {
        byte[] other = TestFile.Bytes([TestFile.Noise("A", "BF16", 16, 1500, 1000), TestFile.Noise("b", "U8", 8, 3),
            TestFile.Noise("c", "F32", 32, 1_000_000)]);
        Assert.Equal(Model.Length, other.Length);
        int asked = 0;

        // No validator, and another file from the third request on: the first two are for the header.
        Server.Intercept = async context =>
        {
            byte[] now = Interlocked.Increment(ref asked) <= 2 ? Model : other;
            await Results.Bytes(now, enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("the file was replaced while it was downloaded; download it again.", run.Error, Ordinal);
        Assert.Empty(Left());
    }

    [Fact]
    public async Task An_index_that_changes_after_its_shards_were_opened_is_detected_at_the_end()
    {
        byte[] before = """{"weight_map":{"a":"1.safetensors"}}"""u8.ToArray();
        byte[][] later = ["""{"weight_map":{"a":"2.safetensors"}}"""u8.ToArray(), """{"weight_map":{"z":"1.safetensors"}}"""u8.ToArray()];
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);
        foreach (byte[] after in later)
        {
            bool wasShardAsked = false;
            Server.Intercept = async context =>
            {
                bool isIndex = context.Request.Path == "/m/model.safetensors.index.json";
                wasShardAsked |= !isIndex;
                if (isIndex)
                {
                    await Results.Bytes(wasShardAsked ? after : before, enableRangeProcessing: true).ExecuteAsync(context);
                }

                return isIndex;
            };

            ToolRun run = await RunAsync("download", $"{Server.Address}/m/model.safetensors.index.json", "model");

            Assert.Contains(run.ExitCode, (int[])[1, 2]);
            Assert.Contains("model.safetensors.index.json: ", run.Error, Ordinal);
            Assert.False(File.Exists(Folder["model/model.safetensors.index.json"]), run.All);
        }
    }
}
