using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Tests.Simulation;

/// <summary>The driver's half of the seam.</summary>
internal sealed unsafe class SimulatedDriver(SimulatedGpu gpu) : ICudaDriver
{
    private readonly ConcurrentDictionary<int, Stack<nint>> _threads = new();
    private readonly Dictionary<nint, long> _pinned = [];
    private readonly Dictionary<nint, SimulatedStream> _streams = [];
    private readonly Dictionary<nint, SimulatedEvent> _events = [];
    private readonly List<SimulatedStream> _all = [];
    private nint _lastHandle = 0x100000;
    private int _copies;

    /// <summary>The most page-locked memory that there is.</summary>
    public long PinnedLimit { get; set; } = long.MaxValue;

    /// <summary>How much of it is in use.</summary>
    public long PinnedBytes
    {
        get
        {
            lock (gpu.Gate)
            {
                return _pinned.Values.Sum();
            }
        }
    }

    /// <summary>The streams and events of loads that have not ended.</summary>
    public (int Streams, int Events) Running
    {
        get
        {
            lock (gpu.Gate)
            {
                return (_streams.Count, _events.Count);
            }
        }
    }

    /// <summary>What has not been given back, contexts last.</summary>
    public string Left()
    {
        lock (gpu.Gate)
        {
            return $"{_pinned.Count} pinned, {_streams.Count} streams, {_events.Count} events, {gpu.Devices.Sum(device => device.Retained)} contexts";
        }
    }

    /// <summary>Waits for the streams to have nothing to do, so that their memory may go.</summary>
    public void Join()
    {
        SimulatedStream[] streams;
        lock (gpu.Gate)
        {
            streams = [.. _all, .. gpu.Devices.Select(device => device.DefaultStream)];
        }

        Array.ForEach(streams, stream => stream.Join());
    }

    /// <summary>Writes down which threads were left with a context.</summary>
    /// <param name="patience">How long they may be in the middle of a call, as the finalizer's thread may.</param>
    public void CheckThreads(TimeSpan patience)
    {
        SpinWait.SpinUntil(() => _threads.Values.All(static contexts => contexts.Count == 0), patience);
        foreach ((int thread, Stack<nint> contexts) in _threads)
        {
            if (contexts.Count > 0)
            {
                gpu.Violate($"thread {thread} was left with {contexts.Count} contexts");
            }
        }
    }

    public int CountDevices()
    {
        gpu.Faults.Meet(nameof(CountDevices));
        return gpu.Devices.Count;
    }

    public nint RetainPrimaryContext(int device)
    {
        gpu.Faults.Meet(nameof(RetainPrimaryContext));
        lock (gpu.Gate)
        {
            gpu.Devices[device].Retained++;
            return gpu.Devices[device].Context;
        }
    }

    public void ReleasePrimaryContext(int device)
    {
        gpu.Faults.Meet(nameof(ReleasePrimaryContext));
        lock (gpu.Gate)
        {
            if (--gpu.Devices[device].Retained < 0)
            {
                gpu.Violate("a context is released more often than retained");
            }
        }
    }

    public void PushContext(nint context)
    {
        gpu.Faults.Meet(nameof(PushContext));
        if (gpu.Devices.FirstOrDefault(device => device.Context == context) is not { Retained: > 0 })
        {
            gpu.Violate("a context is used that nobody holds");
        }

        Contexts().Push(context);
    }

    public void PopContext()
    {
        if (!Contexts().TryPop(out _))
        {
            gpu.Violate("a context is popped that nobody pushed");
        }

        gpu.Faults.Meet(nameof(PopContext));
    }

    public (long Free, long Total) MemoryInfo()
    {
        SimulatedDevice device = Enter(nameof(MemoryInfo));
        lock (gpu.Gate)
        {
            return (device.Free, device.Total);
        }
    }

    public nint AllocatePinned(long bytes)
    {
        Enter(nameof(AllocatePinned));
        lock (gpu.Gate)
        {
            if (_pinned.Values.Sum() + bytes > PinnedLimit)
            {
                throw SimulatedFaults.Exception(nameof(AllocatePinned), CudaError.OutOfMemory);
            }

            nint address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            new Span<byte>((void*)address, (int)bytes).Fill(SimulatedDevice.Poison);
            _pinned.Add(address, bytes);
            return address;
        }
    }

    public void FreePinned(nint address)
    {
        Enter(nameof(FreePinned));
        lock (gpu.Gate)
        {
            if (!_pinned.Remove(address, out long bytes))
            {
                gpu.Violate("memory is freed that is not page-locked");
                return;
            }

            if (gpu.Work.IsCopiedFrom(address, bytes))
            {
                // The simulated copy may run yet: the memory stays.
                gpu.Violate("page-locked memory is freed under a copy that nobody has seen the end of");
                return;
            }

            NativeMemory.AlignedFree((void*)address);
        }
    }

    public nint CreateStream()
    {
        SimulatedDevice device = Enter(nameof(CreateStream));
        lock (gpu.Gate)
        {
            var stream = new SimulatedStream(device, (int)++_lastHandle, gpu.Seed);
            _streams.Add(_lastHandle, stream);
            _all.Add(stream);
            return _lastHandle;
        }
    }

    public void SynchronizeStream(nint stream)
    {
        SimulatedEvent.Mark mark = Mark(Stream(stream, Enter(nameof(SynchronizeStream))));
        Wait(mark);
    }

    public void DestroyStream(nint stream)
    {
        SimulatedDevice device = Enter(nameof(DestroyStream));
        lock (gpu.Gate)
        {
            Stream(stream, device).End();
            _streams.Remove(stream);
        }
    }

    public nint CreateEvent()
    {
        SimulatedDevice device = Enter(nameof(CreateEvent));
        lock (gpu.Gate)
        {
            _events.Add(++_lastHandle, new SimulatedEvent(device));
            return _lastHandle;
        }
    }

    public void RecordEvent(nint what, nint stream)
    {
        SimulatedDevice device = Enter(nameof(RecordEvent));
        SimulatedEvent.Mark mark = Mark(Stream(stream, device));
        lock (gpu.Gate)
        {
            Event(what, device).Last = mark;
        }
    }

    public void SynchronizeEvent(nint what) => Wait(Event(what, Enter(nameof(SynchronizeEvent))).Last);

    public void DestroyEvent(nint what)
    {
        SimulatedDevice device = Enter(nameof(DestroyEvent));
        lock (gpu.Gate)
        {
            _ = Event(what, device);
            _events.Remove(what);
        }
    }

    public void WaitEvent(nint stream, nint what)
    {
        SimulatedDevice device = Enter(nameof(WaitEvent));
        lock (gpu.Gate)
        {
            if (Event(what, device).Last is { } mark)
            {
                SimulatedStream waiting = Stream(stream, device);
                waiting.Clock.Add(mark.Clock);
                waiting.Enqueue(mark.Reached.Wait);
            }
        }
    }

    public void CopyToDevice(nint device, nint host, long bytes, nint stream)
    {
        SimulatedDevice current = Enter(nameof(CopyToDevice));
        lock (gpu.Gate)
        {
            SimulatedStream into = Stream(stream, current);
            into.Clock.Add(gpu.Work.Host);
            Judge(current, device, host, bytes, into.Clock);
            into.Clock.Add(into.Id, ++into.Count);
            gpu.Work.AddCopy(new SimulatedWork.Item(into.Id, into.Count, device, host, bytes));
            int number = ++_copies;
            ulong hash = Hash(host, bytes);
            into.Enqueue(() => Run(current, device, host, bytes, hash, number));
        }
    }

    public void CopyToHost(nint host, nint device, long bytes)
    {
        SimulatedDevice current = Enter(nameof(CopyToHost));
        lock (gpu.Gate)
        {
            if (!current.IsLive(device, bytes))
            {
                gpu.Violate("a copy reads beyond an allocation of its device");
            }

            if (gpu.Work.IsCopiedTo(device, bytes))
            {
                gpu.Violate("device memory is read before the end of its copy was seen");
            }

            Buffer.MemoryCopy((void*)device, (void*)host, bytes, bytes);
        }
    }

    private void Judge(SimulatedDevice current, nint device, nint host, long bytes, SimulatedClock clock)
    {
        if (!_pinned.Any(pinned => host >= pinned.Key && host + (nint)bytes <= pinned.Key + (nint)pinned.Value))
        {
            gpu.Violate("a copy reads memory that is not page-locked");
        }

        if (!current.IsLive(device, bytes))
        {
            gpu.Violate("a copy writes beyond an allocation of its device");
        }

        if (gpu.Work.IsCopiedFrom(host, bytes))
        {
            gpu.Violate("a page-locked buffer is used again before the end of its copy was seen");
        }

        if (gpu.Work.IsCopiedTo(device, bytes))
        {
            gpu.Violate("two copies write the same memory");
        }

        if (gpu.Work.IsReadBefore(device, bytes, clock))
        {
            gpu.Violate("a copy writes memory that earlier work in torch's stream reads, and does not wait for it");
        }
    }

    private void Run(SimulatedDevice current, nint device, nint host, long bytes, ulong hash, int number)
    {
        if (number == gpu.Faults.BreakingCopy)
        {
            current.IsLost = true;
            return;
        }

        bool isSame = Hash(host, bytes) == hash;
        Buffer.MemoryCopy((void*)host, (void*)device, bytes, bytes);
        if (!isSame || Hash(host, bytes) != hash)
        {
            gpu.Violate("page-locked memory is written while its copy is under way");
        }
    }

    private static ulong Hash(nint address, long bytes) => XxHash3.HashToUInt64(new ReadOnlySpan<byte>((void*)address, (int)bytes));

    private Stack<nint> Contexts() => _threads.GetOrAdd(Environment.CurrentManagedThreadId, static _ => new Stack<nint>());

    // The device whose context is current; every call but those for contexts needs one.
    private SimulatedDevice Enter(string call)
    {
        gpu.Faults.Meet(call);
        return Alive(call);
    }

    private SimulatedDevice Alive(string call)
    {
        if (!Contexts().TryPeek(out nint context))
        {
            gpu.Violate($"{call} is called without a context");
            throw SimulatedFaults.Exception(call, CudaError.InvalidContext);
        }

        SimulatedDevice device = gpu.Devices.First(device => device.Context == context);
        return device.IsLost ? throw SimulatedFaults.Exception(call, CudaError.IllegalAddress) : device;
    }

    private SimulatedStream Stream(nint handle, SimulatedDevice current)
    {
        lock (gpu.Gate)
        {
            if (handle == 0)
            {
                return current.DefaultStream;
            }

            if (!_streams.TryGetValue(handle, out SimulatedStream? stream) || stream.Device != current)
            {
                gpu.Violate("a stream is used that is gone, or in the context of another device");
                throw SimulatedFaults.Exception(nameof(Stream), CudaError.InvalidHandle);
            }

            return stream;
        }
    }

    private SimulatedEvent Event(nint handle, SimulatedDevice current)
    {
        lock (gpu.Gate)
        {
            if (!_events.TryGetValue(handle, out SimulatedEvent? found) || found.Device != current)
            {
                gpu.Violate("an event is used that is gone, or in the context of another device");
                throw SimulatedFaults.Exception(nameof(Event), CudaError.InvalidHandle);
            }

            return found;
        }
    }

    // The end of a stream as it is now.
    private SimulatedEvent.Mark Mark(SimulatedStream stream)
    {
        lock (gpu.Gate)
        {
            var mark = new SimulatedEvent.Mark(stream.Clock.Copy());
            stream.Enqueue(mark.Reached.Set);
            return mark;
        }
    }

    private void Wait(SimulatedEvent.Mark? mark)
    {
        if (mark is null)
        {
            return;
        }

        mark.Reached.Wait();
        _ = Alive(nameof(Wait));
        lock (gpu.Gate)
        {
            gpu.Work.Confirm(mark.Clock);
        }
    }
}
