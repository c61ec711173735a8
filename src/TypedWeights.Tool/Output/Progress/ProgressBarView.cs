using Spectre.Console;
using Spectre.Console.Rendering;
using TypedWeights.Errors;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>Progress for people: one bar that is redrawn, and removed at the end of its step.</summary>
internal sealed class ProgressBarView : ProgressView
{
    private const int WidestBar = 30;

    // The text beside the bar: the step, the percentage and all figures, or the rate alone.
    private const int AllText = 62;
    private const int ShortText = 30;

    // The percentage and the rate without a bar.
    private const int FiguresAlone = 16;

    private readonly IAnsiConsole _console;

    /// <param name="context">The command's.</param>
    /// <param name="width">Columns; null for those that the terminal has, also when it changes.</param>
    public ProgressBarView(ToolContext context, int? width = null)
    {
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = context.ErrorTerminal.HasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(context.Error),
        });
        if (width is { } columns)
        {
            _console.Profile.Width = columns;
        }
    }

    private int Width => _console.Profile.Width;

    private bool HasRoom => Width >= AllText + 5;

    public override Task RunAsync(TransferFigures figures, Func<Task> step) => _console.Progress()
        .AutoClear(true)
        .Columns(Columns(figures))
        .StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask(Markup.Escape(figures.Title), maxValue: 100);
            bar.IsIndeterminate = figures.Total == 0;
            figures.Changed = () =>
            {
                bar.IsIndeterminate = false;
                bar.MaxValue = figures.Total;
                bar.Value = figures.Done;
            };
            try
            {
                await step();
            }
            finally
            {
                figures.Changed = null;
            }
        });

    // A line that wraps cannot be redrawn: text that does not fit is omitted.
    private ProgressColumn[] Columns(TransferFigures figures)
    {
        var rate = new TextColumn(() => HasRoom ? figures.Text : figures.Rate);
        return Width switch
        {
            >= ShortText + 5 =>
            [
                new TaskDescriptionColumn(),
                new ProgressBarColumn { Width = Math.Clamp(Width - (HasRoom ? AllText : ShortText), 5, WidestBar) },
                new PercentageColumn(),
                rate,
            ],
            >= FiguresAlone => [new PercentageColumn(), rate],
            _ => [new PercentageColumn()],
        };
    }

    public override void Note(string line) => _console.WriteLine(Printable.Line(line));

    // Plain text: it may contain text of a file or server, which must not count as markup.
    private sealed class TextColumn(Func<string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Printable.Line(text())) { Overflow = Overflow.Ellipsis };
    }
}
