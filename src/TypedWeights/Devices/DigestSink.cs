using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices;

/// <summary>A sink that hashes every tensor once its last byte has landed, beside the load, and refuses those that are not as expected.</summary>
/// <remarks>
/// SHA-256 wants a tensor's bytes in order, and its segments come in any order. So a tensor is hashed from the memory that it lies in,
/// when it is complete: that takes no memory and no bound, and checks what the user will see and not what was sent.
/// </remarks>
/// <param name="inner">Where the tensors are; disposed with this one.</param>
/// <param name="expected">
/// SHA-256 in lower-case hexadecimal by a name of the class; null for one that has none. Every name counts that a tensor will have: a file
/// may call one a copy of another (its metadata's ties) that was a tensor of its own when the digests were taken.
/// </param>
/// <param name="source">The checkpoint as it may be shown.</param>
internal sealed class DigestSink(ITensorSink inner, Func<string, string?> expected, string source) : ITensorSink
{
    private const int Piece = 4 << 20;

    private readonly Channel<int> _complete = Channel.CreateUnbounded<int>();
    private readonly ConcurrentBag<WeightMismatch> _mismatches = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _workers = [];
    private IReadOnlyList<CheckpointTensor> _tensors = [];
    private ILookup<int, string> _names = Array.Empty<int>().ToLookup(static index => index, static _ => "");
    private long[] _left = [];

    // For each tensor what is wrong with it, once that is known.
    private TaskCompletionSource<WeightMismatch?>[] _checked = [];
    private bool _isDisposed;

    public long SegmentSize => inner.SegmentSize;

    public bool OwnsMemory => inner.OwnsMemory;

    public bool Reads(CheckpointFile file, TensorInfo tensor) => inner.Reads(file, tensor);

    public void Select(TensorSelection selection, Lazy<UseOrder> order)
    {
        _names = selection.Names.ToLookup(static name => name.Value, static name => name.Key);
        inner.Select(selection, order);
    }

    public torch.Device DeviceOf(int tensor) => inner.DeviceOf(tensor);

    public DType DTypeOf(int tensor, DType inFile) => inner.DTypeOf(tensor, inFile);

    public SinkMemory MemoryOf(TransferPlan plan) => inner.MemoryOf(plan);

    public void Allocate(TransferPlan plan)
    {
        inner.Allocate(plan);
        _checked = [.. plan.Tensors.Select(
            static _ => new TaskCompletionSource<WeightMismatch?>(TaskCreationOptions.RunContinuationsAsynchronously))];
        _tensors = plan.Tensors;
        _left = new long[plan.Tensors.Count];
        foreach (TransferSegment segment in plan.Ranges.SelectMany(static range => range.Segments).Where(static segment => !segment.IsGap))
        {
            _left[segment.Tensor] += segment.Length;
        }

        // What is not read is there already: mapped, or without a byte.
        for (int i = 0; i < _left.Length; i++)
        {
            if (_left[i] == 0)
            {
                _complete.Writer.TryWrite(i);
            }
        }

        for (int i = 0; i < Math.Min(Environment.ProcessorCount, _left.Length); i++)
        {
            _workers.Add(Task.Run(HashAsync));
        }
    }

    // A segment that came as one with those of other tensors would not tell which of them are complete.
    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Tensor == by.Tensor && inner.IsContinued(segment, by);

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        inner.AcquireAsync(segment, cancellationToken);

    public async ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        await inner.CommitAsync(segment, memory, cancellationToken).ConfigureAwait(false);
        if (Interlocked.Add(ref _left[segment.Tensor], -segment.Length) == 0)
        {
            _complete.Writer.TryWrite(segment.Tensor);
        }
    }

    /// <exception cref="WeightMismatchException">Some tensors have other bytes than they should.</exception>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await inner.CompleteAsync(cancellationToken).ConfigureAwait(false);
        _complete.Writer.Complete();
        await Task.WhenAll(_workers).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_mismatches.IsEmpty)
        {
            throw new WeightMismatchException(source, [.. _mismatches.OrderBy(static mismatch => mismatch.Name, StringComparer.Ordinal)]);
        }
    }

    public ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(tensor, offset, buffer, cancellationToken);

    /// <exception cref="WeightMismatchException">The tensor has other bytes than it should: nobody is to see it.</exception>
    public async ValueTask WhenLandedAsync(int tensor, CancellationToken cancellationToken)
    {
        await inner.WhenLandedAsync(tensor, cancellationToken).ConfigureAwait(false);
        if (await _checked[tensor].Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } mismatch)
        {
            throw new WeightMismatchException(source, [mismatch]);
        }
    }

    public torch.Tensor TakeTensor(int tensor) => inner.TakeTensor(tensor);

    public void Report(ISinkReport report) => inner.Report(report);

    public async ValueTask DisposeAsync()
    {
        // A load that begins anew has disposed of it already.
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;

        // Nobody reads memory that goes.
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await inner.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task HashAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Piece);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            await foreach (int index in _complete.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                await HashAsync(index, hash, buffer.AsMemory(0, Piece)).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask HashAsync(int index, IncrementalHash hash, Memory<byte> buffer)
    {
        (string Name, string Wanted)[] wanted =
        [
            .. _names[index].Select(name => (Name: name, Wanted: expected(name)!)).Where(static pair => pair.Wanted is not null)
                .DistinctBy(static pair => pair.Wanted),
        ];
        if (wanted.Length == 0)
        {
            _checked[index].SetResult(null);
            return;
        }

        long length = _tensors[index].Info.ByteLength;
        for (long done = 0; done < length;)
        {
            _stop.Token.ThrowIfCancellationRequested();
            Memory<byte> next = buffer[..(int)Math.Min(buffer.Length, length - done)];
            ReadOnlyMemory<byte> bytes = await inner.ReadBackAsync(index, done, next, _stop.Token).ConfigureAwait(false);
            hash.AppendData(bytes.Span);
            done += bytes.Length;
        }

        string found = Convert.ToHexStringLower(hash.GetHashAndReset());
        WeightMismatch[] others =
        [
            .. wanted.Where(pair => pair.Wanted != found).Select(
                pair => new WeightMismatch(MismatchKind.Digest, pair.Name, "SHA-256 " + pair.Wanted, "SHA-256 " + found, null)),
        ];
        Array.ForEach(others, _mismatches.Add);
        _checked[index].SetResult(others.FirstOrDefault());
    }
}
