using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace QuickStart;

/// <summary>
/// The forward pass of a Llama model over the typed weights. It keeps the keys and values of earlier tokens, so each new token costs one
/// step. An instance processes one text.
/// </summary>
public sealed class Llama : IDisposable
{
    // TorchSharp creates an object for every number in a formula, even for the + of two tensors (it adds 1 × the second), and the garbage
    // collector may free it while libtorch still reads it. That is rare, but has happened. So these objects are kept in fields.
    private static readonly Scalar One = 1;
    private readonly Scalar _epsilon;

    private readonly StoryModel _weights;
    private readonly LlamaConfig _config;
    private readonly Tensor _cos;
    private readonly Tensor _sin;
    private readonly Tensor?[] _keys;
    private readonly Tensor?[] _values;
    private int _position;

    public Llama(StoryModel weights, LlamaConfig config)
    {
        _weights = weights;
        _config = config;
        _epsilon = config.RmsNormEps;
        _keys = new Tensor?[weights.Model.Layers.Count];
        _values = new Tensor?[weights.Model.Layers.Count];

        using DisposeScope scope = NewDisposeScope();
        int headSize = config.HiddenSize / config.NumAttentionHeads;
        IEnumerable<float> frequencies = Enumerable.Range(0, headSize / 2).Select(i => MathF.Pow(config.RopeTheta, -2f * i / headSize));
        IEnumerable<float> positions = Enumerable.Range(0, config.MaxPositionEmbeddings).Select(position => (float)position);
        Tensor angles = outer(tensor(positions.ToArray()), tensor(frequencies.ToArray())).repeat(1, 2).to(Device);
        _cos = angles.cos().DetachFromDisposeScope();
        _sin = angles.sin().DetachFromDisposeScope();
    }

    private Device Device => _weights.Model.EmbedTokens.Weight.device;

    /// <summary>Continues the text with these tokens and returns a score for every word after each of them: [tokens, vocabulary].</summary>
    public Tensor Forward(IReadOnlyCollection<int> tokens)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor ids = tensor(tokens.ToArray(), ScalarType.Int64, Device);
        Tensor x = _weights.Model.EmbedTokens.Weight[ids];
        for (int i = 0; i < _weights.Model.Layers.Count; i++)
        {
            var layer = _weights.Model.Layers[i];
            Tensor normal = Normalize(x, layer.InputLayernorm.Weight);
            Tensor query = Rotate(Heads(linear(normal, layer.SelfAttn.QProj.Weight)));
            Tensor key = Remember(ref _keys[i], Rotate(Heads(linear(normal, layer.SelfAttn.KProj.Weight))));
            Tensor value = Remember(ref _values[i], Heads(linear(normal, layer.SelfAttn.VProj.Weight)));
            x = x.add(linear(Attend(query, key, value), layer.SelfAttn.OProj.Weight), One);

            normal = Normalize(x, layer.PostAttentionLayernorm.Weight);
            Tensor gate = silu(linear(normal, layer.Mlp.GateProj.Weight));
            x = x.add(linear(gate * linear(normal, layer.Mlp.UpProj.Weight), layer.Mlp.DownProj.Weight), One);
        }

        _position += tokens.Count;
        return linear(Normalize(x, _weights.Model.Norm.Weight), _weights.LmHead.Weight).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _epsilon.Dispose();
        foreach (Tensor? kept in (Tensor?[])[_cos, _sin, .. _keys, .. _values])
        {
            kept?.Dispose();
        }
    }

    /// <summary>Root mean square normalisation.</summary>
    private Tensor Normalize(Tensor x, Tensor weight) => x * rsqrt((x * x).mean([-1], keepdim: true).add(_epsilon, One)) * weight;

    /// <summary>[tokens, heads × head size] to [heads, tokens, head size].</summary>
    private Tensor Heads(Tensor x) => x.view(x.shape[0], -1, _cos.shape[1]).transpose(0, 1);

    /// <summary>Rotary positions: rotates the halves of each head's vector by an angle that grows with the position.</summary>
    private Tensor Rotate(Tensor x)
    {
        Tensor[] halves = x.chunk(2, -1);
        Tensor turned = cat([-halves[1], halves[0]], -1) * _sin.narrow(0, _position, x.shape[1]);
        return turned.add(x * _cos.narrow(0, _position, x.shape[1]), One);
    }

    private static Tensor Remember(ref Tensor? memory, Tensor now)
    {
        Tensor all = memory is null ? now : cat([memory, now], 1);
        memory?.Dispose();
        return memory = all.DetachFromDisposeScope();
    }

    /// <summary>Several query heads share one key and value head; a token sees itself and the tokens before it.</summary>
    private Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        int sharing = _config.NumAttentionHeads / _config.NumKeyValueHeads;
        Tensor past = ones(query.shape[1], key.shape[1], dtype: ScalarType.Bool, device: Device).tril(_position);
        Tensor mixed = scaled_dot_product_attention(query, key.repeat_interleave(sharing, 0), value.repeat_interleave(sharing, 0), past);
        return mixed.transpose(0, 1).flatten(1);
    }
}
