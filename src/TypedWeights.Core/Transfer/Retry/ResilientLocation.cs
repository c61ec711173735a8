using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Retry;

/// <summary>A place across a network: its files are opened and read with patience.</summary>
internal sealed class ResilientLocation : DelegatingLocation
{
    private readonly string _display;
    private readonly RetryPolicy _retry;
    private readonly TransferContext _context;

    private ResilientLocation(IWeightLocation inner, string display, RetryPolicy retry, TransferContext context)
        : base(inner)
    {
        _display = display;
        _retry = retry;
        _context = context;
    }

    /// <summary>Finds out what a URI names, with patience too.</summary>
    /// <returns>The location; a local one as it is.</returns>
    public static async ValueTask<IWeightLocation> LocateAsync(
        IWeightSourceProvider provider, WeightUri uri, WeightPins pins, TransferContext context, CancellationToken cancellationToken)
    {
        RetryPolicy retry = context.Retry;
        StallGuard guard = context.Guards.Rent(context.Patience);
        try
        {
            // It may be several requests, one after the other: how long one of them takes is not known here.
            IWeightLocation location = await retry.RunAsync(
                static (call, token) => GuardAsync(
                    static (call, token) => call.provider.LocateAsync(call.uri, call.pins, token),
                    call,
                    call.guard,
                    mayBeEarly: false,
                    call.uri.Display,
                    token),
                (provider, uri, pins, guard),
                cancellationToken).ConfigureAwait(false);
            return location.IsRemote ? new ResilientLocation(location, uri.Display, retry, context) : location;
        }
        finally
        {
            context.Guards.Return(guard);
        }
    }

    public override ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public override async ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        await _context.Turns.EnterAsync(cancellationToken).ConfigureAwait(false);
        StallGuard guard = _context.Guards.Rent(_context.Patience);
        try
        {
            IWeightSource source = await _retry.RunAsync(
                static (call, token) => call.Item1.AttemptAsync(call.name, call.firstBytes, call.guard, token),
                (this, name, firstBytes, guard),
                cancellationToken).ConfigureAwait(false);
            return new ResilientSource(source, _retry, _context, firstBytes);
        }
        finally
        {
            _context.Guards.Return(guard);
            _context.Turns.Pass();
        }
    }

    public override IWeightSource? OpenAhead(string name, long expectedLength) =>
        Inner.OpenAhead(name, expectedLength) is { } source ? new ResilientSource(source, _retry, _context, firstBytes: 0) : null;

    private ValueTask<IWeightSource> AttemptAsync(string name, int firstBytes, StallGuard guard, CancellationToken cancellationToken)
    {
        _context.CountRequest();
        return GuardAsync(
            static (call, token) => call.Inner.OpenAsync(call.name, call.firstBytes, token),
            (Inner, name, firstBytes),
            guard,
            mayBeEarly: true,
            _display,
            cancellationToken);
    }

    // What brings little and is not resumed: it is given up as a whole when it has taken too long.
    private static async ValueTask<T> GuardAsync<TCall, T>(
        Func<TCall, CancellationToken, ValueTask<T>> attempt,
        TCall call,
        StallGuard guard,
        bool mayBeEarly,
        string display,
        CancellationToken cancellationToken)
    {
        CancellationToken token = guard.Begin(mayBeEarly, cancellationToken);
        try
        {
            T result = await attempt(call, token).ConfigureAwait(false);
            if (mayBeEarly)
            {
                // Otherwise nothing may have been asked for.
                guard.Arrived();
            }

            return result;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            guard.End(cancellationToken);
            throw ResilientSource.Ended(display, guard, isUnserved: true, e);
        }
        finally
        {
            guard.End(cancellationToken);
        }
    }
}
