using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>
/// Shows on standard error how far a command is: a bar in a terminal, a line now and then elsewhere, nothing where nobody wants it.
/// </summary>
internal abstract class ProgressView
{
    /// <param name="context">The command's.</param>
    /// <param name="quiet">Whether nothing is to be shown.</param>
    public static ProgressView Create(ToolContext context, bool quiet) => quiet ? new Silence()
        : context.ErrorTerminal.CanRedraw ? new ProgressBarView(context)
        : new ProgressLines(context.Error);

    /// <summary>Runs a step and shows its figures while it runs.</summary>
    public abstract Task RunAsync(TransferFigures figures, Func<Task> step);

    /// <summary>Writes a line that stays.</summary>
    public abstract void Note(string line);

    private sealed class Silence : ProgressView
    {
        public override Task RunAsync(TransferFigures figures, Func<Task> step) => step();

        public override void Note(string line)
        {
        }
    }
}
