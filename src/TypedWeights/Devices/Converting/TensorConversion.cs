using System.Buffers;
using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Converting;

/// <summary>The conversion of one tensor, from many tasks at once, each with bytes of its own.</summary>
internal sealed class TensorConversion(TensorInfo tensor, DType to)
{
    // Fewer than libtorch spreads over threads: readers run side by side already, and each of theirs would get threads of its own.
    private const int ElementsAtATime = 32_704;

    private readonly torch.ScalarType _from = TorchLayout.Of(tensor.DType, default).ScalarType;
    private readonly torch.ScalarType _to = TorchLayout.Of(to, default).ScalarType;
    private readonly Dictionary<long, (byte[] Bytes, int Count)> _split = [];
    private long _overflows;

    public string Name => tensor.Name;

    public DType From => tensor.DType;

    public int FromSize { get; } = tensor.DType.BitSize() / 8;

    public int ToSize { get; } = to.BitSize() / 8;

    /// <summary>How many finite values have become infinite.</summary>
    public long Overflows => Interlocked.Read(ref _overflows);

    /// <summary>How far behind an element's start a segment begins.</summary>
    public int Misalignment(TransferSegment segment) => (int)(segment.Offset % FromSize);

    /// <summary>The elements that lie in a segment with all their bytes, and the bytes before them.</summary>
    public (long First, long Count, int Skipped) WholeElements(TransferSegment segment)
    {
        int skipped = (FromSize - Misalignment(segment)) % FromSize;
        return skipped >= segment.Length
            ? (0, 0, 0)
            : ((segment.Offset + skipped) / FromSize, (segment.Length - skipped) / FromSize, skipped);
    }

    /// <summary>Takes what a segment has of elements that it shares with its neighbours.</summary>
    /// <returns>Those that are whole now.</returns>
    public IReadOnlyList<(long Element, byte[] Bytes)> JoinEdges(TransferSegment segment, ReadOnlySpan<byte> bytes)
    {
        int head = (int)Math.Min((FromSize - Misalignment(segment)) % FromSize, segment.Length);
        int tail = (int)((segment.Length - head) % FromSize);
        if (head == 0 && tail == 0)
        {
            return [];
        }

        var whole = new List<(long, byte[])>();
        Join(segment.Offset, bytes[..head], whole);
        Join(segment.Offset + segment.Length - tail, bytes[^tail..], whole);
        return whole;
    }

    /// <summary>Converts elements as libtorch does.</summary>
    public unsafe void Convert(ReadOnlyMemory<byte> elements, Memory<byte> converted, long count)
    {
        using MemoryHandle source = elements.Pin();
        using MemoryHandle target = converted.Pin();
        for (long done = 0; done < count;)
        {
            long take = Math.Min(ElementsAtATime, count - done);
            var shape = new TensorShape((ulong)take);
            using torch.Tensor from = TensorOverMemory.Borrow((nint)source.Pointer + (nint)(done * FromSize), new TorchLayout(_from, shape));
            using torch.Tensor into = TensorOverMemory.Borrow((nint)target.Pointer + (nint)(done * ToSize), new TorchLayout(_to, shape));
            into.copy_(from);
            done += take;
        }

        long infinite = Infinities.Count(converted.Span[..(int)(count * ToSize)], to);
        if (infinite > 0)
        {
            Interlocked.Add(ref _overflows, infinite - Infinities.Count(elements.Span[..(int)(count * FromSize)], From));
        }
    }

    private void Join(long offset, ReadOnlySpan<byte> bytes, List<(long, byte[])> whole)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        long element = offset / FromSize;
        lock (_split)
        {
            (byte[] joined, int count) = _split.TryGetValue(element, out (byte[], int) begun) ? begun : (new byte[FromSize], 0);
            bytes.CopyTo(joined.AsSpan((int)(offset % FromSize)));
            count += bytes.Length;
            if (count < FromSize)
            {
                _split[element] = (joined, count);
                return;
            }

            _split.Remove(element);
            whole.Add((element, joined));
        }
    }
}
