using TorchSharp;
using static TorchSharp.torch;

namespace QuickStart;

/// <summary>Tells stories: draws one token after another from the tokens that the model considers likely.</summary>
public sealed class Storyteller(StoryModel model, LlamaConfig config, StoryTokenizer tokenizer)
{
    /// <summary>Below 1, likely words are drawn more often than the model predicts.</summary>
    public double Temperature { get; init; } = 0.7;

    /// <summary>Only this many of the likeliest words can be drawn.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>How many tokens the last story has so far, without the prompt.</summary>
    public int TokensWritten { get; private set; }

    /// <summary>Opens the vocabulary and the settings beside the weights.</summary>
    public static Storyteller Open(StoryModel model, string folder) => new(
        model, LlamaConfig.Load(Path.Combine(folder, "config.json")), StoryTokenizer.Load(Path.Combine(folder, "vocab.txt")));

    /// <summary>Returns the story with its prompt, each piece as soon as it is drawn.</summary>
    /// <exception cref="ArgumentException">The prompt has words that the model does not know.</exception>
    public IEnumerable<string> Tell(string prompt, int seed, int count)
    {
        List<int> start = tokenizer.Encode(prompt);
        return tokenizer.Decode(start.Concat(Continue(start, seed, count)));
    }

    /// <summary>Returns the tokens that follow, until the story ends or has the requested length.</summary>
    private IEnumerable<int> Continue(List<int> start, int seed, int count)
    {
        // Random numbers come from the CPU, so that a seed produces the same story on every device.
        using var random = new Generator((ulong)seed, CPU);
        using var llama = new Llama(model, config);
        IReadOnlyCollection<int> next = start;
        count = Math.Min(count, config.MaxPositionEmbeddings - start.Count);
        for (TokensWritten = 0; TokensWritten < count; TokensWritten++)
        {
            int token = Draw(llama.Forward(next), random);
            if (token == config.EosTokenId)
            {
                yield break;
            }

            yield return token;
            next = [token];
        }
    }

    private int Draw(Tensor scores, Generator random)
    {
        using (scores)
        using (NewDisposeScope())
        using (Scalar temperature = Temperature)
        {
            (Tensor best, Tensor which) = (scores[-1].cpu() / temperature).topk(Math.Min(TopK, config.VocabSize));
            return (int)which[best.softmax(0).multinomial(1, generator: random)].item<long>();
        }
    }
}
