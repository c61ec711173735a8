using Spectre.Console;
using Spectre.Console.Rendering;
using TypedWeights.Errors;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>Progress for people: one bar, drawn over again, that is gone when its step is done.</summary>
internal sealed class ProgressBarView : ProgressView
{
    private const int BarWidth = 30;

    private readonly IAnsiConsole _console;

    public ProgressBarView(ToolContext context)
    {
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = context.ErrorTerminal.HasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(context.Error),
        });
        _console.Profile.Width = context.ErrorTerminal.Width ?? _console.Profile.Width;
    }

    public override Task RunAsync(TransferFigures figures, Func<Task> step) => _console.Progress()
        .AutoClear(true)
        .Columns(
            new TextColumn(() => figures.Title),
            new ProgressBarColumn { Width = Math.Min(BarWidth, _console.Profile.Width / 4) },
            new PercentageColumn(),
            new TextColumn(() => figures.Text))
        .StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask("", maxValue: 100);
            bar.IsIndeterminate = figures.Total == 0;
            figures.Changed = () =>
            {
                bar.IsIndeterminate = false;
                bar.MaxValue = figures.Total;
                bar.Value = figures.Done;
            };
            try
            {
                await step().ConfigureAwait(false);
            }
            finally
            {
                figures.Changed = null;
            }
        });

    public override void Note(string line) => _console.WriteLine(Printable.Line(line));

    // Plain text: what a file or server put into it is no markup.
    private sealed class TextColumn(Func<string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Printable.Line(text())) { Overflow = Overflow.Ellipsis };
    }
}
