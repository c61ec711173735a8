using QuickStart;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace TrainStory.Training;

/// <summary>
/// The Llama architecture for training: it processes whole texts at once and has no cache. Its modules have the names that Hugging Face
/// gives them, so its parameters are the checkpoint.
/// </summary>
internal sealed class Llama : Module<Tensor, Tensor>
{
    private readonly LlamaBody _body;

    public Llama(LlamaConfig config)
        : base("llama")
    {
        register_module("model", _body = new LlamaBody(config));
        foreach ((string name, Parameter parameter) in named_parameters())
        {
            if (!name.EndsWith("norm.weight", StringComparison.Ordinal))
            {
                init.normal_(parameter, 0, 0.04);
            }
        }
    }

    /// <summary>The embedding is also the output layer: the score of a word is the similarity of the result to the word's vector.</summary>
    public Tensor Head => _body.Embedding.weight!;

    /// <summary>Scores every word of the vocabulary after each token: [texts, tokens] to [texts, tokens, vocabulary].</summary>
    public override Tensor forward(Tensor input) => functional.linear(_body.forward(input), Head);
}

/// <summary>All layers below the output layer: [texts, tokens] to [texts, tokens, hidden].</summary>
internal sealed class LlamaBody : Module<Tensor, Tensor>
{
    private readonly LlamaConfig _config;
    private readonly ModuleList<LlamaLayer> _layers;
    private readonly RmsNorm _norm;

    public LlamaBody(LlamaConfig config)
        : base("model")
    {
        _config = config;
        register_module("embed_tokens", Embedding = Embedding(config.VocabSize, config.HiddenSize));
        register_module("layers", _layers = new([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new LlamaLayer(config))]));
        register_module("norm", _norm = new RmsNorm(config.HiddenSize, config.RmsNormEps));
    }

    public Embedding Embedding { get; }

    public override Tensor forward(Tensor input)
    {
        var rope = new Rope(_config, (int)input.shape[1]);
        Tensor x = Embedding.forward(input);
        foreach (LlamaLayer layer in _layers)
        {
            x = layer.forward(x, rope);
        }

        return _norm.forward(x);
    }
}
