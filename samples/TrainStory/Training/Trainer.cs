using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>Next-token training with AdamW. The learning rate first rises, and then falls linearly to zero.</summary>
internal static class Trainer
{
    private const double PeakRate = 3e-3;
    private const int WarmUp = 200;
    private const int Report = 200;

    public static void Run(Llama model, Batches batches, int steps, CancellationToken cancellationToken)
    {
        using var optimizer = optim.AdamW(model.parameters(), PeakRate, beta1: 0.9, beta2: 0.99, weight_decay: 0.01);
        var watch = Stopwatch.StartNew();
        long tokens = 0;
        double sum = 0;
        for (int step = 1; step <= steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = PeakRate * Math.Min((double)step / WarmUp, (double)(steps - step + 1) / steps);
            }

            (Tensor input, Tensor target) = batches.Next();
            Tensor scores = model.forward(input);
            Tensor loss = nn.functional.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index: Batches.Ignored);
            optimizer.zero_grad();
            loss.backward();
            nn.utils.clip_grad_norm_(model.parameters(), 1);
            optimizer.step();

            tokens += input.numel();
            sum += loss.item<float>();
            if (step % Report == 0)
            {
                double seconds = watch.Elapsed.TotalSeconds;
                Console.WriteLine(
                    $"step {step,5} of {steps}   loss {sum / Report:F4}   {tokens / seconds:N0} tokens/s   "
                    + $"{seconds / step * (steps - step) / 60:F1} min left");
                sum = 0;
            }
        }
    }
}
