using TypedWeights.Generators.Tests.Headers;
using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Generation;

public class GeneratedCodeTests
{
    [Fact]
    public void A_Llama_model_becomes_layers_that_share_their_classes()
    {
        var tensors = new List<(string, string, ulong[])> { ("lm_head.weight", "BF16", [320, 64]), ("model.norm.weight", "BF16", [64]) };
        for (int layer = 0; layer < 12; layer++)
        {
            string at = $"model.layers.{layer}.";
            tensors.AddRange(
            [
                (at + "input_layernorm.weight", "BF16", [64]),
                (at + "post_attention_layernorm.weight", "BF16", [64]),
                (at + "self_attn.q_proj.weight", "BF16", [64, 64]),
                (at + "self_attn.o_proj.weight", "BF16", [64, 64]),
                (at + "self_attn.k_proj.weight", "BF16", [16, 64]),
                (at + "self_attn.v_proj.weight", "BF16", [16, 64]),
                (at + "mlp.gate_proj.weight", "BF16", [224, 64]),
                (at + "mlp.up_proj.weight", "BF16", [224, 64]),
                (at + "mlp.down_proj.weight", "BF16", [64, 224]),
            ]);
        }

        byte[] header = Snapshots.Header(
            tensors.OrderBy(tensor => tensor.Item1, StringComparer.Ordinal),
            ("format", "pt"),
            ("model.embed_tokens.weight", "lm_head.weight"));
        Verify(header);
    }

    [Fact]
    public void Different_items_of_a_list_become_one_class_with_nullable_members() => Verify(HeaderTraits.Small["heterogeneous_list"]);

    [Fact]
    public void A_name_that_is_a_tensor_and_a_prefix_becomes_a_group_with_a_value() => Verify(HeaderTraits.Small["leaf_and_branch"]);

    [Fact]
    public void Numbers_with_gaps_become_sparse_lists() => Verify(HeaderTraits.Small["sparse_list"]);

    [Fact]
    public void Numbers_beside_words_become_an_Items_list() => Verify(HeaderTraits.Small["numbers_and_words"]);

    [Fact]
    public void Names_that_are_reserved_get_an_underscore() => Verify(HeaderTraits.Small["reserved"]);

    [Fact]
    public void Odd_characters_in_names_are_escaped() => Verify(HeaderTraits.Small["odd_characters"]);

    [Fact]
    public void Dtypes_that_torch_packs_or_lacks_are_documented() => Verify(HeaderTraits.Small["mixed_dtypes"]);

    [Fact]
    public void The_generated_code_does_not_depend_on_the_order_of_the_snapshot()
    {
        string snapshot = Snapshots.Text(Snapshots.Of(HeaderTraits.Small["shared_names"]));
        string[] lines = snapshot.Split('\n');
        int[] tensors = [.. Enumerable.Range(0, lines.Length).Where(i => lines[i].Contains("\"dtype\"", StringComparison.Ordinal))];
        string[] reversed = [.. lines];
        for (int i = 0; i < tensors.Length; i++)
        {
            string line = lines[tensors[^(i + 1)]].TrimEnd(',');
            reversed[tensors[i]] = i == tensors.Length - 1 ? line : line + ",";
        }

        Assert.NotEqual(lines, reversed);
        Assert.Equal(Project.Generate(snapshot).Source, Project.Generate(string.Join('\n', reversed)).Source);
    }

    [Fact]
    public void Every_model_has_the_same_members_for_loading_and_ownership()
    {
        string[] members = [.. HeaderTraits.Small.Values.Select(header => Split(Generate(header)).Members).Distinct()];
        Verified.Verify(Assert.Single(members), "cs", ThisFile());
    }

    // The members that every model has are verified once, by the test above.
    private static void Verify(byte[] header, [System.Runtime.CompilerServices.CallerMemberName] string method = "")
    {
        (string before, _, string after) = Split(Generate(header));
        Verified.Verify($"{before}// (the members that every model has)\n\n        {after}", "cs", ThisFile(), method);
    }

    private static string Generate(byte[] header)
    {
        // The version is not what these tests are about.
        string version = typeof(WeightLoader).Assembly.GetName().Version!.ToString();
        string source = Project.Generate(Snapshots.Text(Snapshots.Of(header))).Source;
        return source.Replace($"\"{version}\"", "\"VERSION\"", StringComparison.Ordinal);
    }

    private static (string Before, string Members, string After) Split(string source)
    {
        int first = source.IndexOf("/// <summary>The same tree without tensors", StringComparison.Ordinal);
        int end = source.IndexOf("private static class __ManifestHolder", StringComparison.Ordinal);
        return (source[..first], "        " + source[first..end].TrimEnd(), source[end..]);
    }

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
}
