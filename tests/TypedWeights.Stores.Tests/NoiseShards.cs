using System.Text;
using System.Text.Json;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores;

/// <summary>The noise file's tensors in shards.</summary>
internal static class NoiseShards
{
    public const string Index = "model.safetensors.index.json";

    /// <summary>The shards of two tensors each, and their index, by name.</summary>
    /// <param name="stem">What the names of the shards begin with.</param>
    /// <param name="entries">The tensors; null for the noise file's.</param>
    public static IReadOnlyDictionary<string, byte[]> Files(string stem, IEnumerable<TestFile.Entry>? entries = null)
    {
        var files = new Dictionary<string, byte[]>();
        var map = new Dictionary<string, string>();
        foreach (TestFile.Entry[] chunk in (entries ?? NoiseFile.Entries).Chunk(2))
        {
            string name = $"{stem} {files.Count}.safetensors";
            files.Add(name, TestFile.Bytes(chunk));
            foreach (TestFile.Entry entry in chunk)
            {
                map.Add(entry.Name, name);
            }
        }

        files.Add(Index, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { weight_map = map })));
        return files;
    }
}
