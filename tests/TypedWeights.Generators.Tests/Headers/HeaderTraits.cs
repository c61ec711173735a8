namespace TypedWeights.Generators.Tests.Headers;

/// <summary>Headers of our own, one for each trait that the generator must cope with.</summary>
internal static class HeaderTraits
{
    private static readonly (string, string)[] NoMetadata = [];

    /// <summary>Those that are committed beside this file.</summary>
    public static IReadOnlyDictionary<string, byte[]> Small { get; } = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
    {
        ["case_only"] = Of("layers.0.A", "layers.0.a", "layers.0.aB", "layers.0.Ab", "W.w", "w.w"),
        ["deep"] = Of(string.Join(".", Enumerable.Repeat("d", 300)), string.Join(".", Enumerable.Repeat("0", 300)) + ".w"),
        ["empty"] = Header([]),
        ["heterogeneous_list"] = Header(
            [.. Dense(0), .. Dense(1), .. Mixer(2), .. Mixer(3), ("layers.3.mixer.experts.2.w", "F32", [4, 2]), ("layers.4", "F32", [3])]),
        ["keywords"] = Of(
            "class.int", "default.weight", "namespace", "params.event", "out.0.in", "this", "base.base", "record.partial", "await"),
        ["leaf_and_branch"] = Header(
        [
            ("proj.weight", "U8", [8, 1]), ("proj.weight.absmax", "F32", [4]), ("proj.weight.quant_state.bitsandbytes__nf4", "U8", [86]),
            ("items.0", "F32", [2]), ("items.0.scale", "F32", []), ("items.1", "F32", [2]), ("value", "F32", [1]),
            ("value.value", "F32", [1]),
        ]),
        ["list_in_list"] = Of(
            "blocks.0.0.w", "blocks.1.0.w", "blocks.1.1.w", "blocks.2.0.w", "grid.0.0", "grid.0.1", "grid.1.0", "grid.1.1"),
        ["list_not_from_0"] = Of("emb_layers.1.weight", "emb_layers.2.weight", "only.7", "only.9"),
        ["member_as_type"] = Of(
            "layer.layer", "layer_weights", "layer.layer_weights", "layer.layer_paths", "tiny_model.tiny_model", "root_paths",
            "model.model.model.weight"),
        ["mixed_dtypes"] = Header(
        [
            ("layers.0.weight", "F32", [4, 4]), ("layers.1.weight", "BF16", [4, 4]), ("layers.2.weight", "F8_E4M3", [4, 4]),
            ("layers.3.weight", "I8", [4, 4]), ("layers.4.weight", "U8", [4, 4]), ("layers.5.weight", "F16", [4, 4]),
            ("packed.f4", "F4", [4, 8]), ("packed.f4_odd", "F4", [2, 3]), ("packed.f6a", "F6_E2M3", [4]), ("packed.f6b", "F6_E3M2", [8]),
        ]),
        ["no_root_prefix"] = Of("h.0.ln.weight", "h.1.ln.weight", "wte.weight", "bias", "ln_f.weight"),
        ["numbers_and_words"] = Of("blocks.0.w", "blocks.1.w", "blocks.norm.w", "blocks.weight", "0.w", "1.w", "2", "items.w", "items.0.w"),
        ["odd_characters"] = Of(
            "text_encoder:0:down", "<s1>", "a&b", "a\"\"\"b", "quote\"", "back\\slash", "brace{0}", "down/conv", "-", "\u2028", "権重.重み",
            "x*y"),
        ["one_item"] = Of("to_out.0.weight", "to_out.0.bias"),
        ["reserved"] = Of(
            "weights", "paths", "dispose", "load_async.w", "save_async", "detach", "manifest", "bind", "on_bound", "get_type",
            "to_string", "item.equals"),
        ["scalars"] = Header([("bn.num_batches_tracked", "I64", []), ("bn.weight", "F32", [8]), ("step", "I32", [])]),
        ["shared_names"] = Header(
        [
            ("a.q_proj.weight", "F32", [4, 4]), ("a.k_proj.weight", "F32", [4, 4]), ("b.q_proj.weight", "F32", [8, 8]),
            ("b.k_proj.weight", "F32", [8, 8]), ("c.x.weight", "F32", [2]), ("c.y.weight", "F32", [2]), ("c.z.weight", "F32", [2]),
            ("c.v.weight", "F32", [2]), ("norm1.weight", "F32", [3]), ("norm2.weight", "F32", [3]), ("norm.bias", "F32", [3]),
        ]),
        ["sparse_list"] = Header(
        [
            ("net.0.weight", "F32", [4, 2]), ("net.0.bias", "F32", [4]), ("net.2.weight", "F32", [1, 4]), ("net.2.bias", "F32", [1]),
            ("stages.0.net.0.w", "F32", [2]), ("stages.0.net.2.w", "F32", [2]), ("stages.1.net.1.w", "F32", [2]),
        ]),
        ["tied"] = Header(
            [("lm_head.weight", "F32", [8, 4]), ("model.norm.weight", "F32", [4])],
            ("format", "pt"), ("model.embed_tokens.weight", "lm_head.weight"), ("unrelated", "text")),
        ["unordered"] = Header([("z", "F32", [1]), ("a", "F32", [2]), ("m", "F32", [0]), ("b", "F64", [1]), ("layers.0", "U8", [1])]),
    };

    /// <summary>One list of 1,300 equal items.</summary>
    public static byte[] Experts() => Header(Enumerable.Range(0, 1300).SelectMany(expert => new[] { "gate", "up", "down" }.Select(
        part => ($"mlp.experts.{expert}.{part}_proj.weight", "BF16", (ulong[])(part == "down" ? [4, 8] : [8, 4])))));

    /// <summary>A mixture of experts of 48 layers and 128 experts a layer: 18,867 tensors.</summary>
    public static byte[] ManyTensors()
    {
        var tensors = new List<(string, string, ulong[])>
        {
            ("lm_head.weight", "BF16", [64, 8]), ("model.embed_tokens.weight", "BF16", [64, 8]), ("model.norm.weight", "BF16", [8]),
        };
        for (int layer = 0; layer < 48; layer++)
        {
            string at = $"model.layers.{layer}.";
            tensors.AddRange(new[] { "input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm" }
                .Select(norm => (at + norm + ".weight", "BF16", (ulong[])[8])));
            tensors.AddRange("qkvo".Select(letter => (at + $"self_attn.{letter}_proj.weight", "BF16", (ulong[])[8, 8])));
            tensors.Add((at + "mlp.gate.weight", "BF16", [128, 8]));
            for (int expert = 0; expert < 128; expert++)
            {
                tensors.AddRange(new[] { "gate", "up", "down" }.Select(
                    part => (at + $"mlp.experts.{expert}.{part}_proj.weight", "BF16", (ulong[])[4, 8])));
            }
        }

        return Header(tensors);
    }

    private static byte[] Of(params string[] names) => Header(names.Select(name => (name, "F32", (ulong[])[2])));

    private static byte[] Header(IEnumerable<(string, string, ulong[])> tensors, params (string, string)[] metadata) =>
        Snapshots.Header(tensors, metadata.Length == 0 ? NoMetadata : metadata);

    private static IEnumerable<(string, string, ulong[])> Dense(int layer) =>
        [($"layers.{layer}.norm.weight", "F32", [4]), ($"layers.{layer}.mlp.weight", "F32", [(ulong)layer + 4, 4])];

    private static IEnumerable<(string, string, ulong[])> Mixer(int layer) =>
    [
        ($"layers.{layer}.norm.weight", "F32", [4]), ($"layers.{layer}.mixer.experts.0.w", "F32", [4, 2]),
        ($"layers.{layer}.mixer.experts.1.w", "F32", [4, 2]), ($"layers.{layer}.mixer.D", "BF16", [4]),
    ];
}
