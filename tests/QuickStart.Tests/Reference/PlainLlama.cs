namespace QuickStart.Tests.Reference;

/// <summary>
/// The same model in loops over arrays, for comparison: no tensor library, no cache, every token from the beginning, sums in double.
/// Written from the architecture's definition, not from the sample.
/// </summary>
internal sealed class PlainLlama(Dictionary<string, float[]> weights, LlamaConfig config)
{
    private readonly int _headSize = config.HiddenSize / config.NumAttentionHeads;

    /// <summary>For each token the score of every word of the vocabulary.</summary>
    public float[][] Scores(IReadOnlyList<int> tokens)
    {
        float[][] words = [.. weights["model.embed_tokens.weight"].Chunk(config.HiddenSize)];
        float[][] x = [.. tokens.Select(token => (float[])words[token].Clone())];
        for (int i = 0; i < config.NumHiddenLayers; i++)
        {
            string layer = $"model.layers.{i}.";
            Add(x, Attention(Normalize(x, layer + "input_layernorm"), layer + "self_attn."));
            Add(x, FeedForward(Normalize(x, layer + "post_attention_layernorm"), layer + "mlp."));
        }

        return Project(Normalize(x, "model.norm"), "lm_head");
    }

    private float[][] Attention(float[][] x, string name)
    {
        float[][] queries = Project(x, name + "q_proj"), keys = Project(x, name + "k_proj"), values = Project(x, name + "v_proj");
        float[][] mixed = [.. x.Select(_ => new float[config.HiddenSize])];
        for (int head = 0; head < config.NumAttentionHeads; head++)
        {
            int shared = head / (config.NumAttentionHeads / config.NumKeyValueHeads);
            for (int now = 0; now < x.Length; now++)
            {
                double[] query = Rotated(queries[now], head, now);
                double[] weight = new double[now + 1];
                for (int past = 0; past <= now; past++)
                {
                    double[] key = Rotated(keys[past], shared, past);
                    double dot = 0;
                    for (int d = 0; d < _headSize; d++)
                    {
                        dot += query[d] * key[d];
                    }

                    weight[past] = Math.Exp(dot / Math.Sqrt(_headSize));
                }

                double sum = weight.Sum();
                for (int d = 0; d < _headSize; d++)
                {
                    double value = 0;
                    for (int past = 0; past <= now; past++)
                    {
                        value += weight[past] / sum * values[past][shared * _headSize + d];
                    }

                    mixed[now][head * _headSize + d] = (float)value;
                }
            }
        }

        return Project(mixed, name + "o_proj");
    }

    /// <summary>One head's part of a vector: element d and element d + half turn together by position / theta^(d / half).</summary>
    private double[] Rotated(float[] vector, int head, int position)
    {
        int half = _headSize / 2, start = head * _headSize;
        double[] result = new double[_headSize];
        for (int d = 0; d < half; d++)
        {
            (double sin, double cos) = Math.SinCos(position / Math.Pow(config.RopeTheta, (double)d / half));
            float a = vector[start + d], b = vector[start + half + d];
            result[d] = a * cos - b * sin;
            result[half + d] = b * cos + a * sin;
        }

        return result;
    }

    private float[][] FeedForward(float[][] x, string name)
    {
        float[][] gate = Project(x, name + "gate_proj"), up = Project(x, name + "up_proj");
        for (int row = 0; row < x.Length; row++)
        {
            for (int i = 0; i < up[row].Length; i++)
            {
                up[row][i] *= (float)(gate[row][i] / (1 + Math.Exp(-gate[row][i])));
            }
        }

        return Project(up, name + "down_proj");
    }

    /// <summary>Each vector times the transposed matrix: row r of the matrix gives element r of the result.</summary>
    private float[][] Project(float[][] x, string name)
    {
        float[] matrix = weights[name + ".weight"];
        int columns = x[0].Length;
        return [.. x.Select(vector =>
        {
            float[] result = new float[matrix.Length / columns];
            for (int row = 0; row < result.Length; row++)
            {
                double sum = 0;
                for (int column = 0; column < columns; column++)
                {
                    sum += (double)matrix[row * columns + column] * vector[column];
                }

                result[row] = (float)sum;
            }

            return result;
        })];
    }

    private float[][] Normalize(float[][] x, string name)
    {
        float[] weight = weights[name + ".weight"];
        return [.. x.Select(vector =>
        {
            double scale = 1 / Math.Sqrt(vector.Average(value => (double)value * value) + config.RmsNormEps);
            return vector.Select((value, i) => (float)(value * scale * weight[i])).ToArray();
        })];
    }

    private static void Add(float[][] x, float[][] more)
    {
        foreach ((float[] vector, float[] addend) in x.Zip(more))
        {
            for (int i = 0; i < vector.Length; i++)
            {
                vector[i] += addend[i];
            }
        }
    }
}
