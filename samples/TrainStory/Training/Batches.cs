using QuickStart;
using TrainStory.Stories;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>Makes new stories for every batch, so that the model cannot memorise them.</summary>
internal sealed class Batches(StoryTokenizer tokenizer, int seed, int size)
{
    /// <summary>
    /// Shorter stories of a batch are padded. So the stories of this many batches are sorted, and stories of similar length share a batch.
    /// </summary>
    private const int Window = 32;

    /// <summary>Marks tokens that do not count in the loss.</summary>
    public const long Ignored = -100;

    private readonly StoryMaker _maker = new(seed);
    private readonly Random _random = new(seed);
    private readonly Queue<int[][]> _ready = new();

    /// <summary>Returns the input tokens and, at the same position, the token that follows each: two tensors [size, longest - 1].</summary>
    public (Tensor Input, Tensor Target) Next()
    {
        if (_ready.Count == 0)
        {
            int[][] stories = [.. Enumerable.Range(0, Window * size).Select(_ => Encode(_maker.Tell())).OrderBy(story => story.Length)];
            int[][][] batches = [.. stories.Chunk(size)];
            _random.Shuffle(batches);
            Array.ForEach(batches, _ready.Enqueue);
        }

        int[][] batch = _ready.Dequeue();
        int length = batch.Max(story => story.Length) - 1;
        long[,] input = new long[size, length], target = new long[size, length];
        for (int row = 0; row < size; row++)
        {
            for (int i = 0; i < length; i++)
            {
                bool inside = i + 1 < batch[row].Length;
                input[row, i] = inside ? batch[row][i] : tokenizer.End;
                target[row, i] = inside ? batch[row][i + 1] : Ignored;
            }
        }

        return (tensor(input), tensor(target));
    }

    private int[] Encode(string story) => [.. tokenizer.Encode(story), tokenizer.End];
}
