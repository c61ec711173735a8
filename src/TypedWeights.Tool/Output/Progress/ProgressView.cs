using System.Globalization;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>
/// Shows the progress of a command on standard error: a bar in a terminal, a line every few seconds elsewhere, nothing if it is quiet.
/// </summary>
internal abstract class ProgressView
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    /// <param name="context">The command's.</param>
    /// <param name="quiet">Whether nothing is to be shown.</param>
    public static ProgressView Create(ToolContext context, bool quiet) => quiet ? new Silence()
        : context.ErrorTerminal.CanRedraw ? new ProgressBarView(context)
        : new ProgressLines(context.Error);

    /// <summary>Runs a step and shows its figures while it runs.</summary>
    public abstract Task RunAsync(TransferFigures figures, Func<Task> step);

    /// <summary>Writes a line that stays.</summary>
    public abstract void Note(string line);

    /// <summary>Prints the retries of a command's transfers, at most one line every two seconds.</summary>
    public void NoteRetriesOf(TransferContext context)
    {
        var gate = new Lock();
        long? last = null;
        context.Retrying += (failure, attempt, wait) =>
        {
            lock (gate)
            {
                if (last is null || context.Time.GetElapsedTime(last.Value) >= RetryInterval)
                {
                    last = context.Time.GetTimestamp();
                    string seconds = wait.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
                    Note(failure.Message + (seconds == "0" ? " Trying again." : $" Trying again in {seconds} s."));
                }
            }
        };
    }

    private sealed class Silence : ProgressView
    {
        public override Task RunAsync(TransferFigures figures, Func<Task> step) => step();

        public override void Note(string line)
        {
        }
    }
}
