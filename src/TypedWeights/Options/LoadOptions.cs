using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>
/// How one load of a typed model is done. The defaults load every tensor onto the CPU and accept nothing that differs from the manifest.
/// </summary>
public sealed record LoadOptions : CommonLoadOptions
{
    /// <summary>
    /// Whether the load asks for the revision that the snapshot recorded. The revision belongs to the source of the class: a load that was
    /// given another source takes what is current there.
    /// </summary>
    /// <value><see cref="WeightRevision.Recorded"/></value>
    public WeightRevision Revision { get; init; } = WeightRevision.Recorded;

    /// <summary>What becomes of tensors that the checkpoint holds and the class does not know.</summary>
    /// <value><see cref="UnexpectedTensors.Error"/></value>
    public UnexpectedTensors Unexpected { get; init; } = UnexpectedTensors.Error;

    /// <summary>What of the tensors' bytes is checked before the model is handed over.</summary>
    /// <value>
    /// <see cref="Verification.None"/>. The digests of <see cref="Verification.Digests"/> are those of the class's snapshot.
    /// With <see cref="TensorStorage.Mapped"/> it reads the whole file.
    /// </value>
    public Verification Verify { get; init; } = Verification.None;

    /// <inheritdoc/>
    internal override void Validate()
    {
        OptionValue.ThrowUnlessDefined(Revision, nameof(Revision));
        OptionValue.ThrowUnlessDefined(Unexpected, nameof(Unexpected));
        OptionValue.ThrowUnlessDefined(Verify, nameof(Verify));
        base.Validate();
    }
}
