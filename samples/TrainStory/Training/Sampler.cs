using QuickStart;
using TorchSharp;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>Writes stories with the model that is being trained, for inspection. samples/QuickStart does it faster, with a cache.</summary>
internal static class Sampler
{
    public static IEnumerable<string> Tell(Llama model, StoryTokenizer tokenizer, LlamaConfig config, int count)
    {
        using IDisposable noGradients = no_grad();
        for (int i = 0; i < count; i++)
        {
            List<long> ids = [tokenizer.Begin];
            while (ids.Count < config.MaxPositionEmbeddings && ids[^1] != tokenizer.End)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor scores = model.forward(tensor(ids).unsqueeze(0))[0, -1];
                (Tensor best, Tensor which) = (scores / Scalars.Temperature).topk(40);
                ids.Add(which[best.softmax(0).multinomial(1)].item<long>());
            }

            yield return string.Concat(tokenizer.Decode(ids.Select(id => (int)id)));
        }
    }
}
