using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Options;

namespace TypedWeights;

/// <summary>What <see cref="LoadOptions"/> and <see cref="TensorLoadOptions"/> have in common: devices, memory, dtypes and the local cache.</summary>
public abstract record CommonLoadOptions
{
    private protected CommonLoadOptions()
    {
    }

    /// <summary>
    /// The device that the tensors are on when the load returns; with a <see cref="Placement"/>, those that it does not place: <c>cpu</c>, or
    /// <c>cuda:N</c>, whose bytes go there as they come, through a small ring of page-locked memory
    /// (<see cref="TransferOptions.StagingSize"/>). <c>cuda</c> alone is <c>cuda:0</c>.
    /// </summary>
    /// <remarks>
    /// Written as text, <c>Device = "cuda:1"</c>, it reaches the load, which says what is lacking where there is no such device. TorchSharp makes
    /// a device of the text first: text that it does not know (<c>"xpu"</c>, <c>"vulkan"</c>, <c>"cuda:"</c>, an empty one) is its error and
    /// reaches no load, and of text with two colons (<c>"cuda:1:2"</c>) it makes the CPU. A <see cref="Placement"/> reads its text itself, and
    /// refuses all of these. <c>torch.CUDA</c> and <c>torch.device(…)</c> ask TorchSharp first, whose error is a list of all the files it tried.
    /// </remarks>
    /// <value>null: the CPU.</value>
    public torch.Device? Device { get; init; }

    /// <summary>Which tensors go to which device, where they do not all go to one.</summary>
    /// <value>
    /// null: what <see cref="PlaceWeightsAttribute"/> says on the class of a typed load, and <see cref="Device"/> otherwise. An empty
    /// placement sends everything to <see cref="Device"/>, whatever the class says.
    /// </value>
    public Placement? Placement { get; init; }

    /// <summary>
    /// In what order the model uses its tensors, as patterns over their names (those of <see cref="Placement"/>): what an earlier one
    /// takes is used earlier, and what none takes is used last. It decides which tensors a load that was begun
    /// (<c>BeginLoadAsync</c>) brings first, and which device of a placement by budgets they go to.
    /// </summary>
    /// <value>null: embeddings, encoders, layers by their number, decoders, norms, heads, as names usually tell them.</value>
    public IReadOnlyList<string>? OrderOfUse { get; init; }

    /// <summary>
    /// What memory the tensors lie in. It decides when memory is given back: see each value. <see cref="TensorStorage.Mapped"/> is for the
    /// CPU alone.
    /// </summary>
    /// <value><see cref="TensorStorage.Arena"/>: all of it goes when the last tensor goes.</value>
    public TensorStorage Storage { get; init; } = TensorStorage.Arena;

    /// <summary>
    /// The type that tensors are converted to while they load, as <c>tensor.to(dtype)</c> converts them, bit for bit:
    /// <c>bfloat16</c>, <c>float16</c>, <c>float32</c> or <c>float64</c>.
    /// </summary>
    /// <remarks>
    /// Without it every tensor is as the checkpoint has it. With it those of <see cref="ConvertWhere"/> are converted as their bytes come,
    /// on the CPU whatever the device, through buffers of at most half of <see cref="TransferOptions.BufferLimit"/>. The wide
    /// tensors never exist as a whole. <see cref="WeightEntry.DType"/> and <see cref="WeightEntry.TensorDType"/> show
    /// both types, and the log says how many were converted, and how many finite values are infinite in a type that ends earlier
    /// (beyond 65,504 in <c>float16</c>). Not with <see cref="TensorStorage.Mapped"/>.
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
    /// The most host memory that the load may take in all, tensors and buffers, in bytes; one that cannot do with it is refused with
    /// <see cref="MemoryLimitException"/> before anything is allocated. Tensors that are mapped, or on a GPU, take none.
    /// </summary>
    /// <value>
    /// null: on Linux what the process's container leaves (the memory limit of its control group, or of one around it, without what is in
    /// use and cannot be given up), and no limit where there is no container. A limit that is given counts alone, also where the container
    /// leaves less. <see cref="TransferOptions.BufferLimit"/> bounds the buffers alone.
    /// </value>
    public long? MemoryLimit { get; init; }

    /// <summary>What the load does with the local cache that its loader was given (<see cref="WeightLoaderBuilder.UseLocalCache"/>).</summary>
    /// <value>null: what <see cref="LocalCacheOptions.Mode"/> says. Without a cache nothing is read or written, whatever this is.</value>
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
            throw new ArgumentException("OrderOfUse has null among its patterns.", nameof(OrderOfUse));
        }

        foreach (torch.Device device in (Placement?.Rules ?? []).Select(static rule => rule.Device))
        {
            ServedDevice.ThrowUnlessServed(device);
        }

        ServedDevice.ThrowUnlessServed(Device ?? new torch.Device(DeviceType.CPU));
    }
}
