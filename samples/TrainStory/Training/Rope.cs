using QuickStart;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>Rotary positions: rotates the two halves of each head's vector by an angle that grows with the position.</summary>
internal sealed class Rope
{
    private readonly Tensor _cos;
    private readonly Tensor _sin;

    public Rope(LlamaConfig config, int length)
    {
        int headSize = config.HiddenSize / config.NumAttentionHeads;
        IEnumerable<float> frequencies = Enumerable.Range(0, headSize / 2).Select(i => MathF.Pow(config.RopeTheta, -2f * i / headSize));
        IEnumerable<float> positions = Enumerable.Range(0, length).Select(static position => (float)position);
        Tensor angles = outer(tensor(positions.ToArray()), tensor(frequencies.ToArray()));
        _cos = cat([angles, angles], -1).cos();
        _sin = cat([angles, angles], -1).sin();
    }

    /// <param name="x">[texts, heads, tokens, head size]</param>
    public Tensor Rotate(Tensor x)
    {
        Tensor[] halves = x.chunk(2, -1);
        return (x * _cos).add(cat([-halves[1], halves[0]], -1) * _sin, Scalars.One);
    }
}
