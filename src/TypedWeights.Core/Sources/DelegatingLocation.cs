namespace TypedWeights.Sources;

/// <summary>
/// A location that wraps another one and passes every call on: what a derived class does not override is the inner location's, never a
/// default of the interface.
/// </summary>
/// <param name="inner">The wrapped location.</param>
internal abstract class DelegatingLocation(IWeightLocation inner) : IWeightLocation
{
    public virtual string EntryName => inner.EntryName;

    public virtual string? Revision => inner.Revision;

    public virtual bool IsRemote => inner.IsRemote;

    protected IWeightLocation Inner => inner;

    public virtual ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        inner.OpenAsync(name, cancellationToken);

    public virtual ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        inner.OpenAsync(name, firstBytes, cancellationToken);

    public virtual IWeightSource? OpenAhead(string name, long expectedLength) => inner.OpenAhead(name, expectedLength);
}
