using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Loading;

/// <summary>Hashes every tensor of a load when it is complete, while others are read, and fails the load where a digest differs.</summary>
/// <remarks>
/// SHA-256 needs a tensor's bytes in order, and its segments are read in any order. So a complete tensor is hashed from its own memory: that
/// needs no further memory, and checks the bytes that the user will read and not those that were sent.
/// </remarks>
internal sealed class DigestCheck : ITensorObserver
{
    private const int BufferSize = 4 << 20;

    private readonly ITensorSink _sink;
    private readonly IReadOnlyList<CheckpointTensor> _tensors;
    private readonly ILookup<int, string> _names;
    private readonly Func<string, string?> _expected;
    private readonly string _source;
    private readonly Channel<int> _complete = Channel.CreateUnbounded<int>();
    private readonly ConcurrentBag<WeightMismatch> _mismatches = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _workers;

    // For each tensor its mismatch, or null, once it has been checked.
    private readonly TaskCompletionSource<WeightMismatch?>[] _checked;

    /// <param name="sink">Returns the bytes of the tensors.</param>
    /// <param name="selection">The tensors, with all their names.</param>
    /// <param name="expected">
    /// SHA-256 in lower-case hexadecimal by a name of the class; null for a name without a digest. Every name of a tensor is compared: the metadata
    /// of a file may tie a name to another tensor that was separate when the digests were taken.
    /// </param>
    /// <param name="source">The checkpoint as it may be shown.</param>
    public DigestCheck(ITensorSink sink, TensorSelection selection, Func<string, string?> expected, string source)
    {
        _sink = sink;
        _tensors = selection.Tensors;
        _names = selection.Names.ToLookup(static name => name.Value, static name => name.Key);
        _expected = expected;
        _source = source;
        _checked = [.. _tensors.Select(
            static _ => new TaskCompletionSource<WeightMismatch?>(TaskCreationOptions.RunContinuationsAsynchronously))];
        _workers = [.. Enumerable.Range(0, Math.Min(Environment.ProcessorCount, _tensors.Count)).Select(_ => Task.Run(HashAsync))];
    }

    public void OnComplete(int tensor) => _complete.Writer.TryWrite(tensor);

    /// <summary>Returns when a complete tensor has been checked.</summary>
    /// <exception cref="WeightMismatchException">The digest of the tensor differs.</exception>
    public async ValueTask WhenCheckedAsync(int tensor, CancellationToken cancellationToken)
    {
        await _sink.WhenReadyAsync(tensor, cancellationToken).ConfigureAwait(false);
        if (await _checked[tensor].Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } mismatch)
        {
            throw new WeightMismatchException(_source, [mismatch]);
        }
    }

    /// <exception cref="WeightMismatchException">The digests of some tensors differ.</exception>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        _complete.Writer.Complete();
        await Task.WhenAll(_workers).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_mismatches.IsEmpty)
        {
            throw new WeightMismatchException(_source, [.. _mismatches.OrderBy(static mismatch => mismatch.Name, StringComparer.Ordinal)]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task HashAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            await foreach (int index in _complete.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                await HashAsync(index, hash, buffer.AsMemory(0, BufferSize)).ConfigureAwait(false);
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
            .. _names[index].Select(name => (Name: name, Wanted: _expected(name)!)).Where(static pair => pair.Wanted is not null)
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
            ReadOnlyMemory<byte> bytes = await _sink.ReadBackAsync(index, done, next, _stop.Token).ConfigureAwait(false);
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
