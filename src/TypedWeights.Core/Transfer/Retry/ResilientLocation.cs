using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Retry;

/// <summary>A location across a network: opening and reading its files is retried.</summary>
internal sealed class ResilientLocation : DelegatingLocation
{
    private readonly string _display;
    private readonly TransferContext _context;

    private ResilientLocation(IWeightLocation inner, string display, TransferContext context)
        : base(inner)
    {
        _display = display;
        _context = context;
    }

    /// <summary>Resolves a URI to a location, with retries.</summary>
    /// <returns>The location; a local one is not wrapped.</returns>
    public static async ValueTask<IWeightLocation> LocateAsync(
        IWeightSourceProvider provider, WeightUri uri, WeightPins pins, TransferContext context, CancellationToken cancellationToken)
    {
        using var guard = new StallGuard(context.Patience, context.Time);

        // A provider may send several requests, so the usual time of one does not apply. It may also send none.
        IWeightLocation location = await RetryPolicy.RunAsync(
            context,
            attempt => guard.RunAsync(
                token => provider.LocateAsync(uri, pins, token), mayBeEarly: false, uri.Display, attempt),
            cancellationToken).ConfigureAwait(false);
        return location.IsRemote ? new ResilientLocation(location, uri.Display, context) : location;
    }

    public override ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public override async ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        await _context.Turns.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var guard = new StallGuard(_context.Patience, _context.Time);
            IWeightSource source = await RetryPolicy.RunAsync(
                _context,
                attempt =>
                {
                    _context.CountRequest();
                    return guard.RunAsync(token => Inner.OpenAsync(name, firstBytes, token), mayBeEarly: true, _display, attempt);
                },
                cancellationToken).ConfigureAwait(false);
            guard.Arrived();
            return new ResilientSource(source, _context, firstBytes);
        }
        finally
        {
            _context.Turns.Pass();
        }
    }

    public override IWeightSource? OpenAhead(string name, long expectedLength) =>
        Inner.OpenAhead(name, expectedLength) is { } source ? new ResilientSource(source, _context, firstBytes: 0) : null;
}
