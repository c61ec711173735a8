using System.Runtime.InteropServices;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Tests.Simulation;

/// <summary>Failures that a test asks for.</summary>
internal sealed class SimulatedFaults
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = [];
    private int _calls;
    private int _tensors;

    /// <summary>Which call of the driver fails, counted from 1 over all of them; 0 for none.</summary>
    public int FailingCall { get; set; }

    /// <summary>Decides by a call's name, and its number among those of that name (from 1), whether it fails.</summary>
    public Func<string, int, CudaError>? Decide { get; set; }

    /// <summary>What a failing call gives.</summary>
    public CudaError Error { get; set; } = CudaError.Unknown;

    /// <summary>Which tensor cannot be allocated, counted from 1; 0 for none.</summary>
    public int FailingTensor { get; set; }

    /// <summary>Which copy breaks its device while it runs, counted from 1; 0 for none.</summary>
    public int BreakingCopy { get; set; }

    /// <summary>How many calls there were.</summary>
    public int Calls => _calls;

    public int Count(string call)
    {
        lock (_lock)
        {
            return _counts.GetValueOrDefault(call);
        }
    }

    /// <summary>Counts a call and fails it where that was asked for.</summary>
    public void Meet(string call)
    {
        int number, all;
        lock (_lock)
        {
            all = ++_calls;
            number = _counts[call] = _counts.GetValueOrDefault(call) + 1;
        }

        CudaError error = all == FailingCall ? Error : Decide?.Invoke(call, number) ?? CudaError.Success;
        if (error != CudaError.Success)
        {
            throw Exception(call, error);
        }
    }

    public void MeetTensor(long bytes)
    {
        if (Interlocked.Increment(ref _tensors) == FailingTensor)
        {
            throw OutOfMemory(bytes);
        }
    }

    /// <summary>What TorchSharp throws.</summary>
#pragma warning disable CA2201
    public static ExternalException OutOfMemory(long bytes) => new($"CUDA out of memory. Tried to allocate {bytes} bytes.\nmore lines");
#pragma warning restore CA2201

    public static CudaException Exception(string call, CudaError error) => new(error, $"cu{call}(simulated)", $"CUDA_ERROR_{error}", "simulated");
}
