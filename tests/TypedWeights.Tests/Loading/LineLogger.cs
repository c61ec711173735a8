using Microsoft.Extensions.Logging;

namespace TypedWeights.Tests.Loading;

/// <summary>Keeps what a loader writes to its log.</summary>
internal sealed class LineLogger : ILoggerFactory, ILogger
{
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    /// <summary>What has been written until now.</summary>
    public IReadOnlyList<string> Lines => Written(LogLevel.Trace);

    /// <summary>Those of <see cref="Lines"/> that are warnings, or worse.</summary>
    public IReadOnlyList<string> Warnings => Written(LogLevel.Warning);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add((logLevel, formatter(state, exception)));
        }
    }

    public void Dispose()
    {
        // Nothing is held.
    }

    private string[] Written(LogLevel least)
    {
        lock (_lines)
        {
            return [.. _lines.Where(line => line.Level >= least).Select(line => line.Text)];
        }
    }
}
