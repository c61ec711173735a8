using QuickStart;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace TrainStory.Training;

/// <summary>Attention, then a gated feed-forward step. Each follows a normalisation, and its result is added to its input.</summary>
internal sealed class LlamaLayer : Module<Tensor, Rope, Tensor>
{
    private readonly RmsNorm _inputNorm;
    private readonly RmsNorm _postNorm;
    private readonly Attention _attention;
    private readonly FeedForward _mlp;

    public LlamaLayer(LlamaConfig config)
        : base("layer")
    {
        register_module("input_layernorm", _inputNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps));
        register_module("self_attn", _attention = new Attention(config));
        register_module("post_attention_layernorm", _postNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps));
        register_module("mlp", _mlp = new FeedForward(config));
    }

    public override Tensor forward(Tensor x, Rope rope)
    {
        x = x.add(_attention.forward(_inputNorm.forward(x), rope), Scalars.One);
        return x.add(_mlp.forward(_postNorm.forward(x)), Scalars.One);
    }
}

/// <summary>Scales each vector to a mean square of 1, and then by a learned weight.</summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Scalar _epsilon;

    public RmsNorm(int size, float eps)
        : base("norm")
    {
        _epsilon = eps;
        register_parameter("weight", _weight = new Parameter(ones(size)));
    }

    public override Tensor forward(Tensor x) => x * rsqrt((x * x).mean([-1], keepdim: true).add(_epsilon, Scalars.One)) * _weight;
}

/// <summary>Causal attention in which several query heads share one key and value head.</summary>
internal sealed class Attention : Module<Tensor, Rope, Tensor>
{
    private readonly int _heads;
    private readonly int _sharing;
    private readonly Linear _q;
    private readonly Linear _k;
    private readonly Linear _v;
    private readonly Linear _o;

    public Attention(LlamaConfig config)
        : base("attention")
    {
        _heads = config.NumAttentionHeads;
        _sharing = _heads / config.NumKeyValueHeads;
        int keySize = config.HiddenSize / _sharing;
        register_module("q_proj", _q = Linear(config.HiddenSize, config.HiddenSize, hasBias: false));
        register_module("k_proj", _k = Linear(config.HiddenSize, keySize, hasBias: false));
        register_module("v_proj", _v = Linear(config.HiddenSize, keySize, hasBias: false));
        register_module("o_proj", _o = Linear(config.HiddenSize, config.HiddenSize, hasBias: false));
    }

    public override Tensor forward(Tensor x, Rope rope)
    {
        Tensor q = rope.Rotate(Heads(_q.forward(x), _heads));
        Tensor k = rope.Rotate(Heads(_k.forward(x), _heads / _sharing)).repeat_interleave(_sharing, 1);
        Tensor v = Heads(_v.forward(x), _heads / _sharing).repeat_interleave(_sharing, 1);
        Tensor mixed = functional.scaled_dot_product_attention(q, k, v, is_casual: true);
        return _o.forward(mixed.transpose(1, 2).flatten(2));
    }

    private static Tensor Heads(Tensor x, int count) => x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2);
}

/// <summary>SwiGLU: one projection gates the other.</summary>
internal sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly Linear _gate;
    private readonly Linear _up;
    private readonly Linear _down;

    public FeedForward(LlamaConfig config)
        : base("mlp")
    {
        register_module("gate_proj", _gate = Linear(config.HiddenSize, config.IntermediateSize, hasBias: false));
        register_module("up_proj", _up = Linear(config.HiddenSize, config.IntermediateSize, hasBias: false));
        register_module("down_proj", _down = Linear(config.IntermediateSize, config.HiddenSize, hasBias: false));
    }

    public override Tensor forward(Tensor x) => _down.forward(functional.silu(_gate.forward(x)) * _up.forward(x));
}
