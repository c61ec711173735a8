using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;

namespace TypedWeights.Saving;

/// <summary>A tensor with what a file will say of it. No record: a tensor's own equality compares elements.</summary>
internal sealed class SavedTensor(string name, DType dtype, TensorShape shape, torch.Tensor tensor)
{
    public string Name { get; } = name;

    public DType DType { get; } = dtype;

    public TensorShape Shape { get; } = shape;

    public torch.Tensor Tensor { get; } = tensor;

    /// <summary>Describes a tensor by what libtorch says of it.</summary>
    /// <param name="name">The name to save it under.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="parameter">The parameter that the user gave it by; null for none.</param>
    public static SavedTensor Of(string name, torch.Tensor tensor, string? parameter = null)
    {
        if (name is null || tensor is null)
        {
            throw new ArgumentException(
                name is null ? "One of the tensors has null for its name." : $"The tensor {Printable.Name(name)} is null.", parameter);
        }

        if (tensor.IsInvalid)
        {
            throw new ArgumentException(
                $"The tensor {Printable.Name(name)} is empty: it was disposed, or TorchSharp took its handle, as new Parameter(tensor) does. "
                    + "Save the parameter instead, or make it from an alias (tensor.alias()).",
                parameter);
        }

        if (tensor.is_sparse || tensor.device_type == DeviceType.META)
        {
            string kind = tensor.is_sparse ? "sparse" : "meta";
            throw new WeightsException($"The tensor {Printable.Name(name)} has no elements of its own in memory ({kind}) and cannot be saved.");
        }

        return TorchLayout.TryGetDType(tensor.dtype, out DType dtype)
            ? new SavedTensor(name, dtype, ShapeOf(tensor, dtype), tensor)
            : throw new WeightsException(
                $"The tensor {Printable.Name(name)} is of {tensor.dtype}, which safetensors cannot hold; convert it first, with .to(...).");
    }

    /// <summary>Describes a loaded tensor by what its checkpoint said of it, which for packed types is more than libtorch knows.</summary>
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
