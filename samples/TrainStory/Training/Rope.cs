using QuickStart;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>Rotary positions: the two halves of each head's vector are turned by an angle that grows with the position.</summary>
internal sealed class Rope
{
    private readonly Tensor _cos;
    private readonly Tensor _sin;

    public Rope(LlamaConfig config, int length)
    {
        int headSize = config.HiddenSize / config.NumAttentionHeads;
        Tensor frequencies = pow(config.RopeTheta, arange(0, headSize, 2, ScalarType.Float32) / -headSize);
        Tensor angles = outer(arange(length, ScalarType.Float32), frequencies);
        _cos = cat([angles, angles], -1).cos();
        _sin = cat([angles, angles], -1).sin();
    }

    /// <param name="x">[texts, heads, tokens, head size]</param>
    public Tensor Rotate(Tensor x)
    {
        Tensor[] halves = x.chunk(2, -1);
        return x * _cos + cat([-halves[1], halves[0]], -1) * _sin;
    }
}
