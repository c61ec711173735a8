using QuickStart.Tests.Reference;
using TorchSharp;
using TypedWeights;
using TypedWeights.Tests;
using static TorchSharp.torch;

namespace QuickStart.Tests;

[Collection(StoryFixture.Collection)]
public sealed class LlamaTests(StoryFixture story)
{
    private const string Text =
        "Once upon a time there was a shy fox named Nora. She lived in a deep den under the hill with her aunt. She loved to sing.";

    [Fact]
    public void Scores_equal_those_of_the_plain_reference_implementation()
    {
        List<int> tokens = story.Tokenizer.Encode(Text);
        float[][] expected = Reference().Scores(tokens);

        using var llama = new Llama(story.Model, story.Config);
        using Tensor scores = llama.Forward(tokens);

        Assert.Equal([tokens.Count, story.Config.VocabSize], scores.shape);
        Assert.Equal(story.Config.VocabSize, expected[0].Length);
        AssertNear(expected, scores);

        // Scores that hardly differ from each other would be near to anything.
        Assert.All(expected, row => Assert.True(row.Max() - row.Min() > 1));
    }

    [Fact]
    public void Scores_computed_in_steps_equal_those_of_the_whole_text()
    {
        List<int> tokens = story.Tokenizer.Encode(Text);
        float[][] expected = Reference().Scores(tokens);

        using var llama = new Llama(story.Model, story.Config);
        int[] steps = [1, 5, 1, 1, tokens.Count - 8];
        int done = 0;
        foreach (int step in steps)
        {
            using Tensor scores = llama.Forward(tokens[done..(done + step)]);
            AssertNear(expected[done..(done + step)], scores);
            done += step;
        }
    }

    [Fact]
    public async Task Weights_streamed_from_a_server_give_the_same_scores()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/model.safetensors"] = await File.ReadAllBytesAsync(
            Path.Combine(StoryFixture.Folder, "model.safetensors"), TestContext.Current.CancellationToken);
        using StoryModel streamed = await StoryModel.LoadAsync(
            server.Address + "/model.safetensors", null, null, TestContext.Current.CancellationToken);
        List<int> tokens = story.Tokenizer.Encode(Text);
        using var llama = new Llama(streamed, story.Config);
        using var local = new Llama(story.Model, story.Config);
        using Tensor scores = llama.Forward(tokens), expected = local.Forward(tokens);

        Assert.True(expected.equal(scores).all().item<bool>());
        Assert.NotEmpty(server.Requests);
    }

    [Fact]
    public void A_forward_pass_leaves_no_tensors_behind()
    {
        List<int> tokens = story.Tokenizer.Encode(Text);
        using (var warm = new Llama(story.Model, story.Config))
        {
            warm.Forward(tokens).Dispose();
        }

        long before = NativeTensors.Count();
        using (var llama = new Llama(story.Model, story.Config))
        {
            llama.Forward(tokens).Dispose();
            llama.Forward([tokens[^1]]).Dispose();
        }

        NativeTensors.AssertNoneSince(before);
    }

    private PlainLlama Reference() => new(PlainFile.Read(Path.Combine(StoryFixture.Folder, "model.safetensors")), story.Config);

    private static void AssertNear(float[][] expected, Tensor scores)
    {
        float[] actual = scores.cpu().data<float>().ToArray();
        float[] flat = [.. expected.SelectMany(row => row)];
        Assert.Equal(flat.Length, actual.Length);
        int worst = Enumerable.Range(0, flat.Length).MaxBy(i => Math.Abs(flat[i] - actual[i]));
        Assert.True(
            Math.Abs(flat[worst] - actual[worst]) < 1e-4,
            $"Token {worst / expected[0].Length}, word {worst % expected[0].Length}: expected {flat[worst]}, got {actual[worst]}.");
    }
}
