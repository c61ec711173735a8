using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;

namespace TypedWeights.Saving;

/// <summary>A tensor with the name, dtype and shape that it is saved with. Not a record, because tensors compare their elements.</summary>
internal sealed class SavedTensor(string name, DType dtype, TensorShape shape, torch.Tensor tensor)
{
    public string Name { get; } = name;

    public DType DType { get; } = dtype;

    public TensorShape Shape { get; } = shape;

    public torch.Tensor Tensor { get; } = tensor;

    /// <summary>Describes a tensor as libtorch does.</summary>
    /// <param name="name">The name to save it under.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="parameter">The name of the parameter that it was passed in; may be null.</param>
    public static SavedTensor Of(string name, torch.Tensor tensor, string? parameter = null)
    {
        if (name is null || tensor is null)
        {
            throw new ArgumentException(
                name is null ? "The name of one of the tensors is null." : $"The tensor {Printable.Name(name)} is null.", parameter);
        }

        if (tensor.IsInvalid)
        {
            throw new ArgumentException(
                $"The tensor {Printable.Name(name)} is empty: it was disposed, or TorchSharp took its handle, as new Parameter(tensor) does. "
                    + "Save the parameter instead, or create it from an alias (tensor.alias()).",
                parameter);
        }

        if (tensor.is_sparse || tensor.device_type == DeviceType.META)
        {
            string kind = tensor.is_sparse ? "sparse" : "meta";
            throw new WeightsException($"The tensor {Printable.Name(name)} is a {kind} tensor; only dense tensors with data can be saved.");
        }

        return TorchLayout.TryGetDType(tensor.dtype, out DType dtype)
            ? new SavedTensor(name, dtype, ShapeOf(tensor, dtype), tensor)
            : throw new WeightsException(
                $"The tensor {Printable.Name(name)} has the dtype {tensor.dtype}, which safetensors does not support; "
                    + "convert it first with .to(...).");
    }

    /// <summary>Describes a loaded tensor as its checkpoint did, which for packed types is more than libtorch knows.</summary>
    public static SavedTensor OfLoaded(string name, DType dtype, TensorShape shape, torch.Tensor tensor)
    {
        TorchLayout loaded = TorchLayout.Of(dtype, shape);
        return tensor.dtype == loaded.ScalarType && tensor.shape.AsSpan().SequenceEqual(loaded.Shape.ToInt64Array())
            ? new SavedTensor(name, dtype, shape, tensor)
            : Of(name, tensor);
    }

    private static TensorShape ShapeOf(torch.Tensor tensor, DType dtype)
    {
        ulong[] shape = [.. tensor.shape.Select(dimension => (ulong)dimension)];

        // libtorch's F4 is two elements a byte; a file counts elements.
        if (dtype == DType.F4)
        {
            shape = shape.Length == 0 ? [1] : shape;
            shape[^1] *= 2;
        }

        return new TensorShape(shape);
    }
}
