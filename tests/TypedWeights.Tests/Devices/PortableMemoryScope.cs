using TypedWeights.Memory;

namespace TypedWeights.Tests.Devices;

/// <summary>Until disposed, memory is had the way that works on every system.</summary>
internal sealed class PortableMemoryScope : IDisposable
{
    public PortableMemoryScope() => AppContext.SetSwitch(PortableMemory.Switch, true);

    public void Dispose() => AppContext.SetSwitch(PortableMemory.Switch, false);
}
