using System.Text.Json;

namespace TypedWeights.Tests.Format;

/// <summary>Headers of well-known models, which belong to others and so lie outside the repository.</summary>
public sealed class RealHeaderTests
{
    [Fact]
    public void Every_header_of_a_real_model_is_read_like_an_independent_JSON_reader_reads_it()
    {
        Assert.SkipWhen(
            SharedFolder.Headers is null, "The headers of real models lie outside the repository; TYPEDWEIGHTS_SHARED names their folder.");
        string[] files = Directory.GetFiles(SharedFolder.Headers, "*.json");
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            byte[] text = File.ReadAllBytes(file);
            using JsonDocument document = JsonDocument.Parse(text);
            var expected = document.RootElement.EnumerateObject().Where(static p => p.Name != "__metadata__").Select(static p => (
                p.Name,
                DType: p.Value.GetProperty("dtype").GetString(),
                Shape: new TensorShape([.. p.Value.GetProperty("shape").EnumerateArray().Select(static d => d.GetUInt64())]),
                Begin: p.Value.GetProperty("data_offsets")[0].GetInt64(),
                End: p.Value.GetProperty("data_offsets")[1].GetInt64())).OrderBy(static t => t.Begin).ThenBy(static t => t.End).ToArray();

            long length = 8 + text.Length + expected.Max(static t => t.End);
            SafeTensorsHeader header = SafeTensorsHeader.Parse(text, length, Path.GetFileName(file));

            Assert.Equal(expected, header.Tensors.Select(static t => (t.Name, DType: (string?)t.DType.Name(), t.Shape, t.Begin, t.End)));
        }
    }
}
