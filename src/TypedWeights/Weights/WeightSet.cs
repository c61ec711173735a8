using System.Collections;
using System.Diagnostics.CodeAnalysis;
using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Memory;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>
/// The tensors of a checkpoint by name (the state dict), with one owner: disposing the set frees every tensor in it, and their memory.
/// </summary>
/// <remarks>
/// The tensors belong to no dispose scope. <c>new Parameter(tensor)</c> takes a tensor's handle and leaves the tensor empty: give it what
/// <see cref="Detach"/> returns, or <c>tensor.alias()</c>. A tied tensor appears under each of its names, over one storage. Reading is safe
/// from many threads; disposing while another thread computes with a tensor is not, as with any tensor.
/// </remarks>
public sealed class WeightSet : IReadOnlyDictionary<string, torch.Tensor>, IDisposable
{
    private readonly Dictionary<string, WeightEntry> _entries;
    private readonly Lazy<NameIndex> _names;
    private (Task End, Action Stop)? _load;
    private int _disposed;

    internal WeightSet(string title, string? revision, IReadOnlyDictionary<string, string> metadata, int count = 0)
    {
        _entries = new Dictionary<string, WeightEntry>(count, StringComparer.Ordinal);
        Title = title;
        Revision = revision;
        Metadata = metadata;
        _names = new Lazy<NameIndex>(() => new NameIndex(_entries.Keys));
    }

    /// <summary>The source's metadata: <c>__metadata__</c> of all files, the first file's value where two differ.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The revision that was loaded (a commit, a version, a generation), where the store has one.</summary>
    public string? Revision { get; }

    /// <summary>
    /// Completes when everything that the load fetched is in the local cache, and files that are whole there have their names. The result is
    /// true then, and false if caching was abandoned or there is no cache. The task never fails; the log has the reason.
    /// </summary>
    /// <remarks>The tensors may change in the meantime: the cache has copies of the bytes that are not written yet.</remarks>
    public Task<bool> Caching { get; internal set; } = Task.FromResult(false);

    /// <summary>The tensors with dtype and shape as the checkpoint has them, in the order of the files.</summary>
    public IReadOnlyCollection<WeightEntry> Entries => [.. Present];

    /// <inheritdoc/>
    public IEnumerable<string> Keys => Present.Select(entry => entry.Name);

    /// <inheritdoc/>
    public IEnumerable<torch.Tensor> Values => Present.Select(entry => entry.Tensor);

    /// <inheritdoc/>
    public int Count => Present.Count();

    internal string Title { get; }

    /// <summary>Bytes that libtorch has allocated on the C library's heap, tensor by tensor.</summary>
    internal long HeapBytes { get; init; }

    // A tensor that was handed over no longer belongs to the set.
    private IEnumerable<WeightEntry> Present
    {
        get
        {
            ThrowIfDisposed();
            return _entries.Values.Where(entry => entry.IsPresent);
        }
    }

    /// <summary>The names as a tree; used after all have been added.</summary>
    internal NameIndex Names => _names.Value;

    internal bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>A tensor by its name; the set owns it.</summary>
    /// <param name="key">The name in the checkpoint, or a tied name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor; the message offers a near name.</exception>
    /// <exception cref="ObjectDisposedException">The set has been disposed.</exception>
    public torch.Tensor this[string key] => Entry(key).Tensor;

    /// <summary>A tensor with its dtype and shape in the checkpoint.</summary>
    /// <param name="name">The name in the checkpoint, or a tied name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor; the message offers a near name.</exception>
    public WeightEntry Entry(string name) => _entries.TryGetValue(name, out WeightEntry? entry)
        ? entry
        : throw new KeyNotFoundException(
            $"{Title} has no tensor {Printable.Name(name)}"
                + (NearName.Find(name, _entries.Keys) is { } near ? $"; did you mean {Printable.Name(near)}?" : "."));

    /// <summary>Hands a tensor over to the caller, who then disposes it; the set no longer has it.</summary>
    /// <param name="name">The name in the checkpoint. Other names of a tied tensor keep it, over the same storage.</param>
    /// <remarks>
    /// With <see cref="TensorStorage.Arena"/> (the default) and <see cref="TensorStorage.Mapped"/> one remaining tensor keeps the
    /// memory of all: clone it and dispose it to keep only its own memory, or load with <see cref="TensorStorage.PerTensor"/>.
    /// </remarks>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidOperationException">
    /// It was handed over before, something else has emptied it (it was disposed, or became a <c>Parameter</c>), or the set has been disposed.
    /// </exception>
    public torch.Tensor Detach(string name) => Entry(name).Detach();

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _entries.TryGetValue(key, out WeightEntry? entry) && entry.IsPresent;

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out torch.Tensor value)
    {
        ThrowIfDisposed();
        value = ContainsKey(key) ? _entries[key].Tensor : null;
        return value is not null;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, torch.Tensor>> GetEnumerator() =>
        Present.Select(entry => KeyValuePair.Create(entry.Name, entry.Tensor)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>
    /// Saves the set as one canonical file, with its metadata; tied names are recorded as tied, and what was handed over is left out.
    /// </summary>
    /// <param name="path">The file; an existing one is replaced when the new one is whole.</param>
    /// <param name="cancellationToken">Ends the writing; the old file, if any, stays as it was.</param>
    /// <exception cref="ObjectDisposedException">The set has been disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor was emptied without <see cref="Detach"/>: it was disposed, or became a <c>Parameter</c>. The message names it; nothing was written.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <remarks>More on what can be saved: <see cref="SafeTensors.SaveAsync"/>.</remarks>
    public Task SaveAsync(string path, CancellationToken cancellationToken = default) => SavedFile.WriteAsync(
        path, [.. Present.Select(static entry => entry.ToSaved())], Metadata.Count == 0 ? null : Metadata, cancellationToken);

    /// <summary>
    /// Waits until every tensor is ready: after <c>BeginLoadAsync</c>, which returns the model before its tensors are ready. After another
    /// method all of them are.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed; every wait ends with the same error.</exception>
    /// <exception cref="ObjectDisposedException">The set was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public async Task WhenReadyAsync(CancellationToken cancellationToken = default)
    {
        await WhenReadyAsync(null, cancellationToken).ConfigureAwait(false);
        await (_load?.End.WaitAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
    }

    /// <summary>Frees every tensor that was not handed over. A second call does nothing.</summary>
    /// <remarks>
    /// A begun load that still runs is cancelled, and this method returns when it has ended. Do not call it from a progress report, which the load
    /// waits for.
    /// </remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _load?.Stop();
        foreach (WeightEntry entry in _entries.Values)
        {
            entry.Take()?.Dispose();
        }

        FreedMemory.TrimLater(HeapBytes);
    }

    /// <summary>Adds the entry of a tensor, before the tensor itself.</summary>
    internal WeightEntry Add(string name, TensorInfo info, torch.Device device, DType held, Completion? completion)
    {
        var entry = new WeightEntry(this, name, info, device, held, completion);
        _entries.Add(name, entry);
        return entry;
    }

    /// <summary>Connects the set to the load that fills it: the end of the load, and a call that stops the load when the set is disposed.</summary>
    internal void Follow(Task end, Action stop) => _load = (end, stop);

    internal ObjectDisposedException Disposed() => new(Title, $"The weights of {Title} have been disposed.");

    /// <summary>Waits for the tensors of a group, or for all.</summary>
    internal async Task WhenReadyAsync(string? group, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        if (_load is null)
        {
            return;
        }

        string? below = group is null ? null : group + ".";
        foreach (WeightEntry entry in _entries.Values)
        {
            if (below is null || entry.Name == group || entry.Name.StartsWith(below, StringComparison.Ordinal))
            {
                await entry.WhenReadyAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void ThrowIfDisposed()
    {
        if (IsDisposed)
        {
            throw Disposed();
        }
    }
}
