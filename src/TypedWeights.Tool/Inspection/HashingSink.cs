using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tool.Inspection;

/// <summary>
/// Hashes tensors from their segments. SHA-256 needs a tensor's bytes in order, so a segment waits until those before it have been hashed,
/// and its reader with it: ranges are handed out in order, so the first of them never waits, and memory is one segment for each reader.
/// </summary>
internal sealed class HashingSink : IWeightSink
{
    private TransferPlan? _plan;
    private TensorHash?[] _hashes = [];

    /// <summary>The digest of each tensor of the plan in lower-case hexadecimal; null for one without bytes.</summary>
    public string?[] Digests { get; private set; } = [];

    public void Allocate(TransferPlan plan)
    {
        _plan = plan;
        _hashes = new TensorHash?[plan.TargetCount];
        Digests = new string?[plan.TargetCount];
    }

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        new(ArrayPool<byte>.Shared.Rent((int)segment.Length).AsMemory(0, (int)segment.Length));

    public async ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        long length = _plan!.Tensors[segment.Tensor].Info.ByteLength;
        if (segment.Length == length)
        {
            Digests[segment.Tensor] = Convert.ToHexStringLower(SHA256.HashData(memory.Span));
        }
        else
        {
            TensorHash hash = HashOf(segment.Tensor);
            await hash.WhenReachedAsync(segment.Offset).WaitAsync(cancellationToken);
            if (hash.Append(memory.Span) == length)
            {
                Digests[segment.Tensor] = hash.Finish();
                _hashes[segment.Tensor] = null;
            }
        }

        if (MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> buffer))
        {
            ArrayPool<byte>.Shared.Return(buffer.Array!);
        }
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Array.ForEach(_hashes, static hash => hash?.Dispose());
        return ValueTask.CompletedTask;
    }

    private TensorHash HashOf(int tensor)
    {
        if (Volatile.Read(ref _hashes[tensor]) is { } known)
        {
            return known;
        }

        var made = new TensorHash();
        if (Interlocked.CompareExchange(ref _hashes[tensor], made, null) is { } first)
        {
            made.Dispose();
            return first;
        }

        return made;
    }

    // The hash of a tensor that has several segments.
    private sealed class TensorHash : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<long, TaskCompletionSource> _waiting = [];
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _reached;

        // Returns when everything before an offset has been hashed.
        public Task WhenReachedAsync(long offset)
        {
            lock (_lock)
            {
                return _reached == offset
                    ? Task.CompletedTask
                    : (_waiting[offset] = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }

        // Called for one segment after the other, as each waits for the one before.
        public long Append(ReadOnlySpan<byte> bytes)
        {
            _hash.AppendData(bytes);
            lock (_lock)
            {
                _reached += bytes.Length;
                if (_waiting.Remove(_reached, out TaskCompletionSource? next))
                {
                    next.SetResult();
                }

                return _reached;
            }
        }

        public string Finish()
        {
            using (this)
            {
                return Convert.ToHexStringLower(_hash.GetHashAndReset());
            }
        }

        public void Dispose() => _hash.Dispose();
    }
}
