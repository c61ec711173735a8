namespace TypedWeights.Devices;

/// <summary>The error of what belongs to a loader that was disposed.</summary>
internal static class DisposedLoader
{
    public static ObjectDisposedException Error() => new("TypedWeights.WeightLoader");

    public static void ThrowIf(bool isDisposed)
    {
        if (isDisposed)
        {
            throw Error();
        }
    }
}
