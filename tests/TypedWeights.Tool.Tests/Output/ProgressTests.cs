using System.Text.RegularExpressions;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using static System.StringComparison;

namespace TypedWeights.Tests.Output;

public sealed partial class ProgressTests
{
    private readonly HandClock _clock = new();

    [Fact]
    public async Task Progress_without_a_terminal_is_written_as_a_line_every_few_seconds()
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var view = new ProgressLines(writer, _clock);
        var figures = new TransferFigures("downloading", 1_000_000_000, 100_000_000, _clock);

        await view.RunAsync(figures, () =>
        {
            for (int second = 1; second <= 12; second++)
            {
                _clock.Now += TimeSpan.FromSeconds(1);
                figures.Report(100_000_000 + second * 50_000_000, 1_000_000_000);
            }

            return Task.CompletedTask;
        });
        view.Note("done\u001b[31m");
        figures.Report(1, 2);

        Assert.Equal(
            """
            downloading: 35 %, 350 MB of 1.00 GB, 50.0 MB/s, 0:13 left
            downloading: 60 %, 600 MB of 1.00 GB, 50.0 MB/s, 0:08 left
            done\u{1B}[31m

            """,
            writer.ToString());
    }

    [Fact]
    public void The_progress_rate_is_the_rate_of_the_last_seconds()
    {
        var figures = new TransferFigures("downloading", 10_000, time: _clock);
        for (int second = 1; second <= 60; second++)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            figures.Report(second <= 40 ? second * 100 : 4000 + (second - 40) * 10, 10_000);
        }

        Assert.Equal(10, figures.BytesPerSecond, precision: 1);
        Assert.Equal("4.20 kB of 10.0 kB, 10 bytes/s, 9:40 left", figures.Text);
        Assert.Equal(42, figures.Percent);
    }

    [Theory]
    [InlineData(0.4, "0:00")]
    [InlineData(125, "2:05")]
    [InlineData(3 * 3600 + 65, "3:01:05")]
    [InlineData(100 * 3600, "100:00:00")]
    public void The_remaining_time_is_shown_in_clock_format(double seconds, string text) =>
        Assert.Equal(text, TransferFigures.Clock(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task Progress_on_a_terminal_is_a_bar_with_notes_on_standard_error()
    {
        using var error = new StringWriter { NewLine = "\n" };
        using var output = new StringWriter();
        var terminal = new Terminal(100, HasColor: false) { CanRedraw = true };
        var view = ProgressView.Create(new ToolContext(output, error, "/", Terminal.Redirected) { ErrorTerminal = terminal }, quiet: false);
        var figures = new TransferFigures("down[loading]", 1000);

        await view.RunAsync(figures, () =>
        {
            figures.Report(250, 1000);
            view.Note("a [note]");
            return Task.CompletedTask;
        });

        Assert.IsType<ProgressBarView>(view);
        Assert.Equal("", output.ToString());
        Assert.Contains("down[loading]", error.ToString(), Ordinal);
        Assert.Contains("a [note]", error.ToString(), Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(34)]
    [InlineData(35)]
    [InlineData(66)]
    [InlineData(67)]
    [InlineData(200)]
    public async Task The_progress_bar_never_wraps_in_a_narrow_terminal(int width)
    {
        using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(width, HasColor: false) { CanRedraw = true };
        var view = new ProgressBarView(new ToolContext(error, error, "/", Terminal.Redirected) { ErrorTerminal = terminal }, width);
        var figures = new TransferFigures("downloading", 999_500_000_000, time: _clock);

        await view.RunAsync(figures, () =>
        {
            _clock.Now += TimeSpan.FromSeconds(10);
            figures.Report(123_456_789_012, 999_500_000_000);
            return Task.CompletedTask;
        });

        string[] lines = [.. Escapes().Replace(error.ToString(), "\n").Split(['\n', '\r'])];
        Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        Assert.Contains(lines, line => line.Contains("12%", Ordinal));
        Assert.Equal(width >= 16, lines.Any(line => line.Contains("/s", Ordinal)));
    }

    [Fact]
    public async Task Every_progress_view_rethrows_the_error_of_the_operation()
    {
        using var writer = new StringWriter();
        var redirected = new ToolContext(writer, writer, "/", Terminal.Redirected);
        ToolContext redrawn = redirected with { ErrorTerminal = new Terminal(80, HasColor: true) { CanRedraw = true } };
        foreach (ProgressView view in (ProgressView[])
            [ProgressView.Create(redirected, true), ProgressView.Create(redirected, false), ProgressView.Create(redrawn, false)])
        {
            await Assert.ThrowsAsync<ToolException>(() => view.RunAsync(
                new TransferFigures("reading"), () => Task.FromException(new ToolException(ExitCodes.Failed, "no"))));
        }
    }

    // What moves the cursor, hides it or colours.
    [GeneratedRegex("\\x1B\\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Escapes();

    private sealed class HandClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
