using TorchSharp;
using static TorchSharp.torch;

namespace QuickStart;

/// <summary>Tells stories: draws one token after another from what the model holds likely.</summary>
public sealed class Storyteller(StoryModel model, LlamaConfig config, StoryTokenizer tokenizer)
{
    /// <summary>Below 1 the likely words come more often than the model says.</summary>
    public double Temperature { get; init; } = 0.7;

    /// <summary>Only this many of the likeliest words are ever drawn.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>How many tokens the last story has had so far, without the prompt.</summary>
    public int TokensWritten { get; private set; }

    /// <summary>Opens the words and settings that lie beside the weights.</summary>
    public static Storyteller Open(StoryModel model, string folder) => new(
        model, LlamaConfig.Load(Path.Combine(folder, "config.json")), StoryTokenizer.Load(Path.Combine(folder, "vocab.txt")));

    /// <summary>The story with its prompt, in pieces that come as soon as they are drawn.</summary>
    /// <exception cref="ArgumentException">The prompt has words that the model does not know.</exception>
    public IEnumerable<string> Tell(string prompt, int seed, int count)
    {
        List<int> start = tokenizer.Encode(prompt);
        return tokenizer.Decode(start.Concat(Continue(start, seed, count)));
    }

    /// <summary>The tokens that follow, until the story ends or has the wanted length.</summary>
    private IEnumerable<int> Continue(List<int> start, int seed, int count)
    {
        // Drawn on the CPU, so that a seed tells the same story on every device.
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
