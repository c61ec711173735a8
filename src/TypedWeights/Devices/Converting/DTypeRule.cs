using TypedWeights.Interop;

namespace TypedWeights.Devices.Converting;

/// <summary>
/// Which tensors a load converts, and to what: <see cref="CommonLoadOptions.DType"/> with <see cref="CommonLoadOptions.ConvertWhere"/>.
/// </summary>
internal sealed class DTypeRule
{
    private static readonly DType[] Targets = [DType.BF16, DType.F16, DType.F32, DType.F64];

    private readonly Func<WeightPath, bool> _where;

    private DTypeRule(DType target, Func<WeightPath, bool> where)
    {
        Target = target;
        _where = where;
    }

    /// <summary>What is converted to.</summary>
    public DType Target { get; }

    /// <summary>The rule of some options.</summary>
    /// <returns>null if nothing is converted.</returns>
    /// <exception cref="WeightsException">The options contradict each other.</exception>
    public static DTypeRule? Of(CommonLoadOptions options)
    {
        if (options.DType is not { } wanted)
        {
            return options.ConvertWhere is null
                ? null
                : throw new WeightsException("The option ConvertWhere is set, but the option DType is not; set DType to the type to convert to.");
        }

        if (options.Storage == TensorStorage.Mapped)
        {
            throw new WeightsException(
                "The option DType cannot be used with TensorStorage.Mapped, whose tensors are the file itself; use Arena or PerTensor.");
        }

        if (options is LoadOptions { Verify: Verification.Digests })
        {
            throw new WeightsException(
                "LoadOptions.Verify compares digests of the bytes in the file, so it cannot be used with the option DType; "
                    + "convert the tensors after the load.");
        }

        return TorchLayout.TryGetDType(wanted, out DType target) && Targets.Contains(target)
            ? new DTypeRule(target, options.ConvertWhere ?? (static weight => Targets.Contains(weight.DType)))
            : throw new WeightsException(
                $"The option DType is {wanted}; a load can convert tensors only to bfloat16, float16, float32 or float64.");
    }

    /// <summary>The dtype that a tensor of the checkpoint gets.</summary>
    /// <exception cref="WeightsException">It is selected for conversion, and its dtype cannot be converted.</exception>
    public DType Of(TensorInfo tensor)
    {
        if (tensor.DType == Target || !_where(new WeightPath(tensor.Name, tensor.DType, tensor.Shape)))
        {
            return tensor.DType;
        }

        return tensor.DType is DType.F4 or DType.F6E2M3 or DType.F6E3M2 or DType.C64
            ? throw new WeightsException(
                $"\"{tensor.Name}\" is {tensor.DType.Name()}, which cannot be converted to {Target.Name()}; exclude it in the option ConvertWhere.")
            : Target;
    }
}
