namespace TypedWeights.Devices;

/// <summary>Takes what the user should know of how a sink made its tensors.</summary>
internal interface ISinkReport
{
    /// <summary>So many tensors are on a device.</summary>
    void Placed(int tensors, string device);

    /// <summary>So many of all tensors were converted.</summary>
    void Converted(int tensors, int all, DType from, DType to);

    /// <summary>So many finite values became infinite, in so many tensors.</summary>
    void Overflowed(long values, int tensors, string first, DType to);
}
