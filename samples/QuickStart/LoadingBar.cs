using Spectre.Console;
using TypedWeights;

namespace QuickStart;

/// <summary>Shows a load as it goes: one bar, with bytes, speed and tensors.</summary>
internal static class LoadingBar
{
    public static Task<T> ShowAsync<T>(string title, Func<IProgress<LoadProgress>, Task<T>> load) => AnsiConsole.Progress()
        .Columns(
            new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn())
        .StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask(title);
            return await load(new Reporter(bar, title));
        });

    // Progress<T> would report from the thread pool, after the last frame was drawn.
    private sealed class Reporter(ProgressTask bar, string title) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress now)
        {
            bar.MaxValue = Math.Max(1, now.BytesTotal);
            bar.Value = now.Bytes;
            bar.Description = $"{title}: {now.Tensors} of {now.TensorsTotal} tensors";
        }
    }
}
