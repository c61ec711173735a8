namespace TypedWeights.Memory;

/// <summary>Memory that keeps something in use for as long as it is there.</summary>
internal sealed class LeasedRegion(NativeRegion inner, IDisposable lease) : NativeRegion(inner.Address, inner.Length)
{
    protected override void Free()
    {
        inner.Dispose();
        lease.Dispose();
    }
}
