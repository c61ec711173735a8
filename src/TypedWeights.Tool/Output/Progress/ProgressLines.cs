using TypedWeights.Errors;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>Progress for logs: a line every few seconds, and none for a shorter step.</summary>
internal sealed class ProgressLines(TextWriter writer, TimeProvider? time = null) : ProgressView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();

    public override async Task RunAsync(TransferFigures figures, Func<Task> step)
    {
        long last = _time.GetTimestamp();
        figures.Changed = () =>
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(last) >= Interval)
                {
                    last = _time.GetTimestamp();
                    writer.WriteLine(Printable.Line($"{figures.Title}: {figures.Percent} %, {figures.Text}"));
                }
            }
        };
        try
        {
            await step();
        }
        finally
        {
            figures.Changed = null;
        }
    }

    public override void Note(string line)
    {
        lock (_lock)
        {
            writer.WriteLine(Printable.Line(line));
        }
    }
}
