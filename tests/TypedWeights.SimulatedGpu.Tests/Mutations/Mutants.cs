using TypedWeights.Interop.Cuda;

namespace TypedWeights.Tests.Mutations;

/// <summary>A buffer is used again without waiting for the event behind its copy; but the last copy is waited for.</summary>
internal sealed class ReusesAtOnce(ICudaDriver inner, int copies) : PassThroughDriver(inner)
{
    private int _left = copies;

    public override void SynchronizeEvent(nint what)
    {
        if (Interlocked.Decrement(ref _left) <= 0)
        {
            base.SynchronizeEvent(what);
        }
    }
}

/// <summary>The load is complete before its copies are.</summary>
internal sealed class CompletesEarly(ICudaDriver inner) : PassThroughDriver(inner)
{
    public override void SynchronizeEvent(nint what)
    {
        // Left out.
    }
}

/// <summary>Copies do not wait for what torch's stream reads in the memory they write.</summary>
internal sealed class IgnoresTorch(ICudaDriver inner) : PassThroughDriver(inner)
{
    public override void WaitEvent(nint stream, nint what)
    {
        // Left out.
    }
}

/// <summary>The event that stands for torch's stream is recorded before the tensors are there: too early.</summary>
internal sealed class MarksTheWrongStream(ICudaDriver inner) : PassThroughDriver(inner)
{
    private nint _own;

    public override void WaitEvent(nint stream, nint what)
    {
        _own = stream;
        base.RecordEvent(what, _own);
        base.WaitEvent(stream, what);
    }
}

/// <summary>What failed or was cancelled is freed without waiting for the copies that are under way.</summary>
internal sealed class DoesNotDrain(ICudaDriver inner) : PassThroughDriver(inner)
{
    /// <summary>From here on nothing is waited for.</summary>
    public bool HasEnded { get; set; }

    public override void SynchronizeStream(nint stream)
    {
        // Left out.
    }

    public override void SynchronizeEvent(nint what)
    {
        if (!HasEnded)
        {
            base.SynchronizeEvent(what);
        }
    }
}

/// <summary>A copy is longer than what it is for.</summary>
internal sealed class CopiesTooMuch(ICudaDriver inner) : PassThroughDriver(inner)
{
    public override void CopyToDevice(nint device, nint host, long bytes, nint stream) => base.CopyToDevice(device, host, bytes + 1, stream);
}

/// <summary>A context is left on the thread that made a call.</summary>
internal sealed class LeavesContexts(ICudaDriver inner) : PassThroughDriver(inner)
{
    public override void PopContext()
    {
        // Left out.
    }
}

/// <summary>Every call is made in the first context, whatever the device.</summary>
internal sealed class TakesTheWrongContext(ICudaDriver inner) : PassThroughDriver(inner)
{
    private nint _first;

    public override void PushContext(nint context) => base.PushContext(_first = _first == 0 ? context : _first);
}

/// <summary>Something is never given back.</summary>
internal sealed class Leaks(ICudaDriver inner, string what) : PassThroughDriver(inner)
{
    public override void FreePinned(nint address)
    {
        if (what != "pinned")
        {
            base.FreePinned(address);
        }
    }

    public override void DestroyStream(nint stream)
    {
        if (what != "streams")
        {
            base.DestroyStream(stream);
        }
    }

    public override void DestroyEvent(nint handle)
    {
        if (what != "events")
        {
            base.DestroyEvent(handle);
        }
    }
}
