using System.Buffers;
using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Converting;

/// <summary>The conversion of one tensor. Many tasks convert at once, each of them other bytes.</summary>
internal sealed class TensorConversion(TensorInfo tensor, DType to)
{
    // Few enough that libtorch does not use several threads: several readers already convert at once.
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

    /// <summary>The offset within an element at which a segment starts.</summary>
    public int Misalignment(TransferSegment segment) => (int)(segment.Offset % FromSize);

    /// <summary>The elements whose bytes are all in a segment, and the number of bytes before them.</summary>
    public (long First, long Count, int Skipped) WholeElements(TransferSegment segment)
    {
        int skipped = (FromSize - Misalignment(segment)) % FromSize;
        return skipped >= segment.Length
            ? (0, 0, 0)
            : ((segment.Offset + skipped) / FromSize, (segment.Length - skipped) / FromSize, skipped);
    }

    /// <summary>Keeps the bytes of elements that a segment shares with its neighbours.</summary>
    /// <returns>The elements whose bytes are complete now.</returns>
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
            long infinite = CountInfinities(converted.Span.Slice((int)(done * ToSize), (int)(take * ToSize)), to);
            if (infinite > 0)
            {
                ReadOnlySpan<byte> before = elements.Span.Slice((int)(done * FromSize), (int)(take * FromSize));
                Interlocked.Add(ref _overflows, infinite - CountInfinities(before, From));
            }

            done += take;
        }
    }

    // Values beyond the range of a narrower type become infinities. The other types have no infinities.
    private static long CountInfinities(ReadOnlySpan<byte> elements, DType of) => of switch
    {
        DType.F16 => Count<ushort>(elements, 0x7C00, 0xFC00),
        DType.BF16 => Count<ushort>(elements, 0x7F80, 0xFF80),
        DType.F32 => Count<uint>(elements, 0x7F80_0000, 0xFF80_0000),
        DType.F64 => Count<ulong>(elements, 0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000),
        DType.F8E5M2 => Count<byte>(elements, 0x7C, 0xFC),
        _ => 0,
    };

    private static long Count<T>(ReadOnlySpan<byte> elements, T positive, T negative)
        where T : unmanaged, IEquatable<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(elements);
        return values.Count(positive) + values.Count(negative);
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
