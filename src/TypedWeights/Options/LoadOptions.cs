using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Manifests;
using TypedWeights.Transfer.Planning;

namespace TypedWeights;

/// <summary>What <see cref="LoadOptions"/> and <see cref="TensorLoadOptions"/> have in common: devices, memory, dtypes and the local cache.</summary>
public abstract record CommonLoadOptions
{
    private protected CommonLoadOptions()
    {
    }

    /// <summary>
    /// The device that the tensors are on when the load returns: <c>cpu</c> or <c>cuda:N</c>; <c>cuda</c> alone is <c>cuda:0</c>. With a
    /// <see cref="Placement"/>, the device of the tensors that it does not place. Bytes for a GPU are copied as they are read, through a small
    /// ring of pinned memory (<see cref="TransferOptions.StagingSize"/>).
    /// </summary>
    /// <remarks>
    /// Write it as text, <c>Device = "cuda:1"</c>: then a load reports what is missing if the device cannot be used. TorchSharp parses the text:
    /// it throws for text that it does not know (<c>"xpu"</c>, <c>"vulkan"</c>, <c>"cuda:"</c>, an empty one), and makes the CPU of text with two
    /// colons (<c>"cuda:1:2"</c>). A <see cref="Placement"/> parses its text itself, and rejects all of these. <c>torch.CUDA</c> and
    /// <c>torch.device(…)</c> load TorchSharp's libraries first, and their error is a list of all the files that it tried.
    /// </remarks>
    /// <value>null: the CPU.</value>
    public torch.Device? Device { get; init; }

    /// <summary>Which tensors go to which device, if they do not all go to one.</summary>
    /// <value>
    /// null: the <see cref="PlaceWeightsAttribute"/>s of the class in a typed load, otherwise <see cref="Device"/>. An empty placement sends
    /// all tensors to <see cref="Device"/>, whatever the attributes are.
    /// </value>
    public Placement? Placement { get; init; }

    /// <summary>
    /// The order in which the model uses its tensors, as patterns over their names (those of <see cref="Placement"/>): tensors that match an
    /// earlier pattern are used earlier, and those that match no pattern are used last. It decides which tensors a begun load
    /// (<c>BeginLoadAsync</c>) reads first, and which device of a placement by budgets they go to.
    /// </summary>
    /// <value>null: embeddings, encoders, layers by their number, decoders, norms, heads, recognised by their usual names.</value>
    public IReadOnlyList<string>? OrderOfUse { get; init; }

    /// <summary>
    /// The memory that the tensors are in. It decides when memory is freed: see each value. <see cref="TensorStorage.Mapped"/> is for the CPU
    /// alone.
    /// </summary>
    /// <value><see cref="TensorStorage.Arena"/>: all of it is freed with the last tensor.</value>
    public TensorStorage Storage { get; init; } = TensorStorage.Arena;

    /// <summary>
    /// The type that tensors are converted to while they load, as <c>tensor.to(dtype)</c> converts them, bit for bit:
    /// <c>bfloat16</c>, <c>float16</c>, <c>float32</c> or <c>float64</c>.
    /// </summary>
    /// <remarks>
    /// Those of <see cref="ConvertWhere"/> are converted as their bytes are read, on the CPU whatever the device, through buffers of at most half
    /// of <see cref="TransferOptions.BufferLimit"/>. The wide tensors never exist as a whole. <see cref="WeightEntry.DType"/> and
    /// <see cref="WeightEntry.TensorDType"/> show both types. The log says how many tensors were converted, and how many finite values became
    /// infinite (beyond 65,504 in <c>float16</c>). Not valid with <see cref="TensorStorage.Mapped"/>.
    /// </remarks>
    /// <value>null: nothing is converted.</value>
    public torch.ScalarType? DType { get; init; }

    /// <summary>
    /// Which tensors <see cref="DType"/> converts, by their name, dtype and shape in the checkpoint. F4, F6 and C64 cannot be converted.
    /// </summary>
    /// <value>null: those of F64, F32, F16 and BF16. Whole numbers, booleans and the types of 8 bits and fewer stay as they are.</value>
    /// <example><code>
    /// new LoadOptions { DType = torch.bfloat16, ConvertWhere = w => w.DType == DType.F32 &amp;&amp; !w.Name.EndsWith("norm.weight") }
    /// </code></example>
    public Func<WeightPath, bool>? ConvertWhere { get; init; }

    /// <summary>
    /// The most host memory that the load may use for tensors and buffers together, in bytes. A load that needs more fails with
    /// <see cref="MemoryLimitException"/> before anything is allocated. Tensors that are mapped, or on a GPU, do not count.
    /// </summary>
    /// <value>
    /// null: on Linux the memory that the container of the process has left (the memory limit of its control group, or of an outer one, minus
    /// the memory that is in use and cannot be reclaimed), and no limit without a container. A limit that is set replaces this one, even if
    /// the container has less left. <see cref="TransferOptions.BufferLimit"/> bounds the buffers alone.
    /// </value>
    public long? MemoryLimit { get; init; }

    /// <summary>What the load does with the local cache of its loader (<see cref="WeightLoaderBuilder.UseLocalCache"/>).</summary>
    /// <value>null: what <see cref="LocalCacheOptions.Mode"/> says. Without a cache the option has no effect.</value>
    public CacheMode? Cache { get; init; }

    /// <summary>Checks each value by itself, before anything is loaded.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names the option.</exception>
    /// <exception cref="WeightsException">Tensors cannot be loaded onto the device.</exception>
    internal virtual void Validate()
    {
        OptionValue.ThrowUnlessDefined(Storage, nameof(Storage));
        OptionValue.ThrowUnlessDefined(Cache ?? CacheMode.Check, nameof(Cache));
        ArgumentOutOfRangeException.ThrowIfNegative(MemoryLimit ?? 0, nameof(MemoryLimit));
        if (OrderOfUse?.Any(static pattern => pattern is null) ?? false)
        {
            throw new ArgumentException("OrderOfUse contains a null pattern.", nameof(OrderOfUse));
        }

        foreach (torch.Device device in (Placement?.Rules ?? []).Select(static rule => rule.Device).Append(Device).OfType<torch.Device>())
        {
            ThrowUnlessServed(device);
        }
    }

    /// <summary>The value of <see cref="OrderOfUse"/> for a selection, computed when it is first used.</summary>
    /// <exception cref="WeightsException">A pattern cannot be read, or matches no tensor.</exception>
    internal Lazy<UseOrder> OrderOf(TensorSelection selection)
    {
        NameGlob[] patterns = [.. (OrderOfUse ?? []).Select(Parse)];
        var order = new Lazy<UseOrder>(() => UseOrder.Of(selection, patterns));
        if (patterns.Length > 0)
        {
            _ = order.Value;
        }

        return order;
    }

    private static NameGlob Parse(string pattern)
    {
        try
        {
            return NameGlob.Parse(pattern);
        }
        catch (FormatException e)
        {
            throw new WeightsException($"OrderOfUse: {Printable.Name(pattern)} is not a valid pattern: {e.Message}.", e);
        }
    }

    // Needs neither libtorch nor a driver.
    private static void ThrowUnlessServed(torch.Device device)
    {
        bool hasType = device.type is DeviceType.CPU or DeviceType.CUDA;
        if (!hasType || device.index < -1 || (device.type == DeviceType.CPU && device.index > 0))
        {
            // TorchSharp writes "cpu" for every number.
            string text = device.type.ToString().ToLowerInvariant() + (device.index == -1 ? "" : $":{device.index}");
            string advice = hasType ? "" : " Load onto the CPU and move the tensors with .to(device).";
            throw new WeightsException(
                $"Loading onto {text} is not supported; use \"cpu\", \"cuda\" or \"cuda:N\" (N from 0).{advice}");
        }
    }
}

/// <summary>
/// The options of a load of a typed model. The defaults load every tensor onto the CPU and accept no difference from the manifest.
/// </summary>
public sealed record LoadOptions : CommonLoadOptions
{
    /// <summary>
    /// Whether the load requests the revision that the snapshot recorded. The revision belongs to the source of the class: a load from another
    /// source takes what is current there.
    /// </summary>
    /// <value><see cref="WeightRevision.Recorded"/></value>
    public WeightRevision Revision { get; init; } = WeightRevision.Recorded;

    /// <summary>What happens to tensors of the checkpoint that the class does not have.</summary>
    /// <value><see cref="UnexpectedTensors.Error"/></value>
    public UnexpectedTensors Unexpected { get; init; } = UnexpectedTensors.Error;

    /// <summary>Which bytes of the tensors are checked before the model is returned.</summary>
    /// <value>
    /// <see cref="Verification.None"/>. The digests of <see cref="Verification.Digests"/> are those of the class's snapshot.
    /// With <see cref="TensorStorage.Mapped"/> that reads the whole file.
    /// </value>
    public Verification Verify { get; init; } = Verification.None;

    internal override void Validate()
    {
        OptionValue.ThrowUnlessDefined(Revision, nameof(Revision));
        OptionValue.ThrowUnlessDefined(Unexpected, nameof(Unexpected));
        OptionValue.ThrowUnlessDefined(Verify, nameof(Verify));
        base.Validate();
    }
}

/// <summary>The options of a load of tensors by name. The defaults load every tensor onto the CPU.</summary>
public sealed record TensorLoadOptions : CommonLoadOptions
{
    /// <summary>
    /// Selects the tensors to load, by name; the others are not read. A selected tied name loads its tensor, under that name. A filter that
    /// selects no tensor is an error.
    /// </summary>
    /// <value>null: all of them.</value>
    public Func<string, bool>? Filter { get; init; }
}

/// <summary>Which revision of its source a typed model is loaded at.</summary>
public enum WeightRevision
{
    /// <summary>
    /// The revision that the snapshot recorded: the commit of the hub, the version or generation of a bucket's object. If it recorded none,
    /// the current state, which the load identifies by its ETag.
    /// </summary>
    Recorded,

    /// <summary>The state at the start of the load. It must still have the names, dtypes and shapes of the class.</summary>
    Latest,
}

/// <summary>Which bytes of the tensors a load checks. Names, dtypes and shapes are always checked.</summary>
public enum Verification
{
    /// <summary>None.</summary>
    None,

    /// <summary>
    /// Each tensor's SHA-256 is compared with that of the snapshot, which must have been taken with <c>typedweights snapshot --digest</c>. A
    /// tensor is hashed as soon as it is complete, while others are still being read; a difference fails the load.
    /// </summary>
    Digests,
}

/// <summary>The memory that loaded tensors are in.</summary>
public enum TensorStorage
{
    /// <summary>
    /// One region for all tensors of a load, in the order of the files, each tensor aligned to 64 bytes; on Linux in huge pages. The fastest way
    /// to fill fresh memory.
    /// </summary>
    /// <remarks>
    /// The memory is freed with the last of its tensors. Disposing one of them, or all but one, frees nothing; a tensor that was handed over by
    /// <see cref="WeightSet.Detach"/> keeps all of it. Each tensor has its own storage in libtorch, so changing or saving one does not touch the
    /// others. On a GPU there is one region for each dtype, and <c>Tensor.save</c> of one tensor writes all that share it;
    /// <see cref="WeightSet.SaveAsync"/> and <see cref="SafeTensors.SaveAsync"/> do not.
    /// </remarks>
    Arena,

    /// <summary>
    /// An allocation by libtorch for each tensor, freed with that tensor: for programs that keep some tensors and dispose others.
    /// </summary>
    /// <remarks>
    /// glibc, the C library of most Linux systems, keeps freed memory in the process. When a set of 32 MiB or more is disposed, or its load
    /// fails, <c>malloc_trim</c> returns all of that to the system, on a thread of the pool. What is freed tensor by tensor stays in the process
    /// until then.
    /// </remarks>
    PerTensor,

    /// <summary>
    /// Nothing is read: the tensors are the file itself, mapped into memory, and its pages are read when they are first used. For files
    /// of this machine only. The load takes a few milliseconds whatever the size of the file.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The mapping is private: changing a tensor changes the memory of this process and never the file. The first use of a page waits
    /// for the disk, and the system may drop pages that were not changed and read them again.
    /// </para>
    /// <para>
    /// The file must not change while tensors of it are in use. A page that has not been used yet shows what is in the file when it is used, so a
    /// file that is rewritten in place gives mixed weights, and one that is cut short ends the process when a page beyond its end is touched
    /// (SIGBUS on Linux and macOS, an access violation on Windows). Renaming another file over it is safe on Linux and macOS; saving does that.
    /// Windows does not let the file be replaced, shortened or deleted before the last tensor is disposed: save under another name there.
    /// </para>
    /// <para>
    /// A tensor whose data does not begin at a multiple of its element's size (the format allows it, usual writers avoid it) is read as
    /// with <see cref="Arena"/>. The file is unmapped when the last of its tensors is disposed.
    /// </para>
    /// </remarks>
    Mapped,
}
