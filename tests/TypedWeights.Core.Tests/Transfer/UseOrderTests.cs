using TypedWeights.Checkpoints;
using TypedWeights.Manifests;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Transfer;

public sealed class UseOrderTests
{
    [Fact]
    public void The_use_order_is_embeddings_then_layers_by_number_then_norm_and_head() => Assert.Equal(
        ["model.embed_tokens", "model.layers.0", "model.layers.1", "model.layers.2", "model.layers.10", "model.layers.11", "model.norm", "lm_head"],
        Steps(
        [
            "lm_head.weight", "model.embed_tokens.weight", "model.layers.0.a", "model.layers.0.b", "model.layers.1.a", "model.layers.10.a",
            "model.layers.11.a", "model.layers.2.a", "model.norm.weight",
        ]));

    [Fact]
    public void The_use_order_of_a_GPT_and_of_an_encoder_decoder_model_is_found()
    {
        Assert.Equal(
            ["transformer.wpe", "transformer.wte", "transformer.h.0", "transformer.h.1", "transformer.ln_f"],
            Steps(
            [
                "transformer.h.0.ln_1.weight", "transformer.h.1.mlp.c", "transformer.ln_f.weight", "transformer.wpe.weight",
                "transformer.wte.weight",
            ]));
        Assert.Equal(
            [
                "shared", "encoder.embed_positions", "encoder.layers.0", "encoder.layers.1", "encoder.layer_norm", "decoder.layers.0",
                "decoder.layer_norm",
            ],
            Steps(
            [
                "decoder.layer_norm.weight", "decoder.layers.0.w", "encoder.embed_positions.w", "encoder.layer_norm.weight", "encoder.layers.0.w",
                "encoder.layers.1.w", "shared.weight",
            ]));
    }

    [Fact]
    public void A_tied_tensor_has_the_step_of_its_earliest_name()
    {
        TensorSelection selection = Selection(["lm_head.weight", "model.layers.0.w"]);
        selection = selection with { Names = [.. selection.Names, KeyValuePair.Create("model.embed_tokens.weight", 0)] };

        Assert.Equal([0, 1], UseOrder.Of(selection, []).Steps);
    }

    [Fact]
    public void Patterns_come_first_in_the_use_order_and_a_pattern_without_a_match_is_an_error()
    {
        TensorSelection selection = Selection(["lm_head.weight", "model.layers.0.w", "model.layers.1.w", "model.norm.weight"]);

        Assert.Equal([0, 2, 1, 3], UseOrder.Of(selection, [NameGlob.Parse("lm_head.*"), NameGlob.Parse("model.layers.{1}.*")]).Steps);
        WeightsException error = Assert.Throws<WeightsException>(() => UseOrder.Of(selection, [NameGlob.Parse("model.layer.{0..3}.*")]));
        Assert.Equal(
            "OrderOfUse: the pattern \"model.layer.{0..3}.*\" matches none of the 4 names; one starts with \"model.layers.0\".",
            error.Message);
    }

    private static string[] Steps(string[] names)
    {
        IReadOnlyList<int> steps = UseOrder.Of(Selection(names), []).Steps;
        return
        [
            .. names.Select((name, i) => (Step: steps[i], Name: name)).GroupBy(item => item.Step).OrderBy(step => step.Key)
                .Select(step => string.Join('.', step.First().Name.Split('.')[..^1].Take(3))),
        ];
    }

    private static TensorSelection Selection(string[] names) => new(
        [.. names.Select((name, i) => new CheckpointTensor(0, new TensorInfo(name, DType.U8, new TensorShape(1), i, i + 1)))],
        [.. names.Select((name, i) => KeyValuePair.Create(name, i))]);
}
