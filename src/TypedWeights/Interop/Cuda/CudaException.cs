using TypedWeights.Interop.Cuda.Native;

namespace TypedWeights.Interop.Cuda;

/// <summary>A call of the driver that failed: the call as it was written, and the driver's own words.</summary>
internal sealed class CudaException : WeightsException
{
    /// <param name="error">What it gave.</param>
    /// <param name="call">The call.</param>
    /// <param name="name">The driver's name for the error.</param>
    /// <param name="words">The driver's words for it.</param>
    public CudaException(CudaError error, string call, string name, string words)
        : base($"{call} gave {name}: {words}{(IsForGood(error) ? ". The CUDA context of this process is lost; only a restart of it helps" : "")}.") =>
        Error = error;

    public CudaError Error { get; }

    /// <summary>Whether every further call in the context fails in the same way, whoever makes it.</summary>
    public bool IsSticky => IsForGood(Error);

    // Between an assertion and a hardware error the driver has three that pass: too many peers, memory registered twice or not at all.
    private static bool IsForGood(CudaError error) => error is CudaError.EccUncorrectable
        or CudaError.NvlinkUncorrectable
        or CudaError.Contained
        or CudaError.IllegalAddress
        or CudaError.LaunchTimeout
        or CudaError.ContextIsDestroyed
        or CudaError.AssertFailed
        or (>= CudaError.HardwareStackError and <= CudaError.LaunchFailed)
        or CudaError.Deinitialized;
}
