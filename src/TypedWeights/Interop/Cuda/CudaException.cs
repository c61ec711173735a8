namespace TypedWeights.Interop.Cuda;

/// <summary>A failed call of the driver: the call as written in the code, and the error as the driver describes it.</summary>
/// <param name="error">The result code.</param>
/// <param name="call">The call.</param>
/// <param name="name">The driver's name for the error.</param>
/// <param name="words">The driver's description of the error.</param>
internal sealed class CudaException(CudaError error, string call, string name, string words) : WeightsException(
    $"{call} returned {name}: {words}{(LosesContext(error) ? ". The CUDA context of this process is lost; restart the process" : "")}.")
{
    /// <summary>Whether every further call in the context fails in the same way, whoever makes it.</summary>
    public bool IsSticky => LosesContext(error);

    // Between an assertion and a hardware error the driver has three codes that do not end a context: too many peers, memory registered twice
    // or not at all.
    private static bool LosesContext(CudaError error) => error is CudaError.EccUncorrectable
        or CudaError.NvlinkUncorrectable
        or CudaError.Contained
        or CudaError.IllegalAddress
        or CudaError.LaunchTimeout
        or CudaError.ContextIsDestroyed
        or CudaError.AssertFailed
        or (>= CudaError.HardwareStackError and <= CudaError.LaunchFailed)
        or CudaError.Deinitialized;
}

/// <summary>The result codes of the driver that the code or its tests use.</summary>
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
