namespace TypedWeights.Interop.Cuda;

/// <summary>A call of the driver that failed: the call as it was written, and the driver's own words.</summary>
/// <param name="error">The result code.</param>
/// <param name="call">The call.</param>
/// <param name="name">The driver's name for the error.</param>
/// <param name="words">The driver's words for it.</param>
internal sealed class CudaException(CudaError error, string call, string name, string words) : WeightsException(
    $"{call} gave {name}: {words}{(IsForGood(error) ? ". The CUDA context of this process is lost; only a restart of it helps" : "")}.")
{
    /// <summary>Whether every further call in the context fails in the same way, whoever makes it.</summary>
    public bool IsSticky => IsForGood(error);

    // Between an assertion and a hardware error the driver has three codes that do not end a context: too many peers, memory registered twice
    // or not at all.
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

/// <summary>The driver's result codes, as far as something depends on them.</summary>
internal enum CudaError
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    Deinitialized = 4,
    NoDevice = 100,
    InvalidContext = 201,
    EccUncorrectable = 214,
    NvlinkUncorrectable = 220,
    Contained = 226,
    InvalidHandle = 400,
    IllegalAddress = 700,
    LaunchTimeout = 702,
    ContextIsDestroyed = 709,
    AssertFailed = 710,
    HardwareStackError = 714,
    LaunchFailed = 719,
    SystemDriverMismatch = 803,
    CompatNotSupportedOnDevice = 804,
    Unknown = 999,
}
