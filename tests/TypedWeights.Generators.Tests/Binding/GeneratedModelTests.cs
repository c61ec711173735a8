using System.Globalization;
using System.Reflection;
using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Binding;

/// <summary>Generated code compiled, loaded and used on real files.</summary>
public sealed class GeneratedModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Properties_return_the_tensors_of_the_file()
    {
        TestFile.Entry[] tensors =
        [
            TestFile.F32("lm_head.weight", [2, 2], 1, 2, 3, 4),
            TestFile.F32("model.layers.0.attn.q.weight", [2], 10, 11),
            TestFile.F32("model.layers.1.attn.q.weight", [2], 20, 21),
            TestFile.F32("model.net.0.w", [1], 30),
            TestFile.F32("model.net.2.w", [1], 32),
            TestFile.F32("scales.0", [1], 40),
            TestFile.F32("scales.1", [1], 41),
        ];
        string result = await RunAsync(
            tensors,
            new Dictionary<string, string> { ["model.embed.weight"] = "lm_head.weight" },
            """
            string Text(TorchSharp.torch.Tensor t) => string.Join(",", t.data<float>().ToArray());
            return string.Join("|",
                Text(m.LmHead.Weight), Text(m.Model.Embed.Weight), Text(m.Model.Layers[1].Attn.Q.Weight),
                Text(m.Model.Layers[..1][0].Attn.Q.Weight),
                Text(m.Model.Net[2].W), Text(m.Scales[1]), Text(m.Scales[1..][0]), m.Weights.Count, TinyModel.Bound);
            """,
            "public static int Bound; partial void OnBound() => Bound = Model.Layers.Count;");
        Assert.Equal("1,2,3,4|1,2,3,4|20,21|10,11|32|41|41|8|2", result);
    }

    [Fact]
    public async Task Paths_name_every_weight_before_anything_is_loaded()
    {
        TestFile.Entry[] tensors =
        [
            TestFile.F32("model.layers.0.attn.q.weight", [2], 10, 11),
            TestFile.F32("model.layers.1.mlp.weight", [2, 1], 20, 21),
            TestFile.F32("model.layers.1.mlp.weight.scale", [1], 2),
        ];
        string result = await RunAsync(
            tensors,
            null,
            """
            var p = TinyModel.Paths.Model.Layers;
            return string.Join("|", p[0].Attn!.Q.Weight, p[1].Attn is null, p[0].Mlp is null,
                p[1].Mlp!.Weight.Value.Shape, p[1].Mlp!.Weight.Scale.Name,
                m.Model.Layers[1].Mlp!.Weight.Value.shape[0], m.Model.Layers[0].Mlp is null);
            """);
        Assert.Equal("model.layers.0.attn.q.weight|True|True|[2, 1]|model.layers.1.mlp.weight.scale|2|True", result);
    }

    [Fact]
    public async Task Lists_of_different_lengths_contain_exactly_the_items_of_the_file()
    {
        string[] names =
        [
            "blocks.0.attn.0.w", "blocks.1.attn.0.w", "blocks.1.attn.1.w", "blocks.2.norm", "grid.0.0", "grid.0.1", "grid.1.0",
            "s.0.net.0.w", "s.0.net.2.w",
            "s.1.net.1.w", "mixed.0.w", "mixed.0.3.w", "mixed.1.w",
        ];
        string result = await RunAsync(
            [.. names.Select(name => TestFile.F32(name, [1], 1))],
            null,
            """
            return string.Join("|", m.Blocks[0].Attn!.Count, m.Blocks[1].Attn!.Count, m.Blocks[2].Attn is null,
                m.Grid[0].Count, m.Grid[1].Count,
                string.Join(",", m.S[0].Net.Keys), string.Join(",", m.S[1].Net.Keys),
                string.Join(",", m.Mixed[0].Items.Keys), m.Mixed[1].Items.Count,
                string.Join(",", TinyModel.Paths.S[0].Net.Keys), TinyModel.Paths.Grid[1].Count);
            """);
        Assert.Equal("1|2|True|2|1|0,2|1|3|0|0,2|1", result);
    }

    [Fact]
    public async Task A_disposed_model_throws_and_a_detached_tensor_stays_usable()
    {
        string result = await RunAsync(
            [TestFile.F32("a.weight", [1], 7), TestFile.F32("b.weight", [1], 8)],
            null,
            """
            var kept = m.Detach(TinyModel.Paths.A.Weight);
            string gone = Error(() => m.A.Weight.numel());
            m.Dispose();
            m.Dispose();
            using (kept)
            {
                return string.Join("|", kept.data<float>()[0], gone, Error(() => m.B.Weight.numel()));
            }

            static string Error(System.Action action)
            {
                try { action(); return ""; } catch (System.Exception e) { return e.GetType().Name; }
            }
            """);
        Assert.Equal("7|InvalidOperationException|ObjectDisposedException", result);
    }

    [Fact]
    public async Task A_model_that_fails_to_bind_frees_its_tensors()
    {
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(
            [TestFile.F32("a.weight", [1], 7)],
            null,
            "return \"\";",
            """
            public static TypedWeights.WeightSet? Seen;
            partial void OnBound() { Seen = Weights; throw new System.InvalidOperationException("no"); }
            """));
        Assert.Equal("no", e.Message);
    }

    [Fact]
    public async Task A_saved_model_loads_again()
    {
        string result = await RunAsync(
            [TestFile.F32("a.weight", [1], 7), TestFile.F32("b.0", [1], 8)],
            null,
            """
            await m.SaveAsync(path + ".saved", System.Threading.CancellationToken.None);
            using TinyModel again = await TypedWeights.WeightLoader.Default.LoadAsync<TinyModel>(path + ".saved");
            return again.A.Weight.data<float>()[0] + "|" + again.B[0].data<float>()[0];
            """);
        Assert.Equal("7|8", result);
    }

    [Fact]
    public async Task Weights_with_names_of_every_kind_are_bound()
    {
        byte[] header = Headers.HeaderTraits.Small["numbers_and_words"];
        TestFile.Entry[] tensors =
            [.. Snapshots.Of(header).Tensors.Select((tensor, index) => TestFile.F32(tensor.Name, [2], index, index))];
        string result = await RunAsync(
            tensors,
            null,
            """
            return string.Join("|", m.Items[2].Value is not null, m.Items[2].W is null, m.Items[0].W is not null,
                m.Blocks.Items.Count, m.Items_.Items.Count);
            """);
        Assert.Equal("True|True|True|2|1", result);
    }

    private async Task<string> RunAsync(
        TestFile.Entry[] tensors, Dictionary<string, string>? metadata, string body, string members = "")
    {
        string path = TestFile.Write(_folder["model.safetensors"], tensors, metadata);
        string source = $$"""
            #pragma warning disable CS1591
            namespace Demo
            {
                [TypedWeights.SafeTensorsModel("{{Snapshots.Source}}")]
                public sealed partial class TinyModel { {{members}} }

                public static class Program
                {
                    public static async System.Threading.Tasks.Task<string> Run(string path)
                    {
                        using TinyModel m = await TinyModel.LoadAsync(path);
                        await System.Threading.Tasks.Task.Yield();
                        {{body}}
                    }
                }
            }
            """;
        Assembly assembly = Project.Generate(Snapshots.Text(Snapshots.Of(Snapshots.HeaderOf(path))), source).Load();
        MethodInfo run = assembly.GetType("Demo.Program")!.GetMethod("Run")!;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        return await (Task<string>)run.Invoke(null, [path])!;
    }
}
