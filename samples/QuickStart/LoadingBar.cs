using Spectre.Console;
using TypedWeights;

namespace QuickStart;

/// <summary>Shows the progress of a load: one bar with tensors, speed and bytes.</summary>
internal static class LoadingBar
{
    public static Task<T> ShowAsync<T>(string title, Func<IProgress<LoadProgress>, Task<T>> load) => AnsiConsole.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn())
        .StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask(title, maxValue: 1);
            bar.IsIndeterminate = true;
            return await load(new Reporter(bar, title));
        });

    // Progress<T> would report from the thread pool, possibly after the last frame is drawn.
    private sealed class Reporter(ProgressTask bar, string title) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress now)
        {
            bar.IsIndeterminate = false;
            bar.MaxValue = now.BytesTotal;
            bar.Value = now.Bytes;
            bar.Description = $"{title}: {now.Tensors} of {now.TensorsTotal} tensors, {now.BytesPerSecond / 1e6:N0} MB/s";
        }
    }
}
