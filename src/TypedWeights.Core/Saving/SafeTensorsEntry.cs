using TypedWeights.Errors;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>A tensor to be written: its description, and the callback or memory that provides its bytes.</summary>
public sealed class SafeTensorsEntry
{
    /// <summary>Describes a tensor whose bytes are produced while the file is written.</summary>
    /// <param name="name">Any string but <c>__metadata__</c>.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="shape">The shape in elements, outermost dimension first.</param>
    /// <param name="write">
    /// Writes the elements to the stream, row-major and little-endian: exactly <see cref="ByteLength"/> bytes, in one or many calls,
    /// synchronous or not. Called once; the stream ends with the call.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The name is reserved or is not valid UTF-8 text, the elements do not fill whole bytes, or there are more than 2^63 of them.
    /// </exception>
    public SafeTensorsEntry(string name, DType dtype, TensorShape shape, Func<Stream, CancellationToken, ValueTask> write)
        : this(name, dtype, shape, write, null)
    {
    }

    /// <summary>Describes a tensor that a user passed to another method.</summary>
    /// <param name="name">As above.</param>
    /// <param name="dtype">As above.</param>
    /// <param name="shape">As above.</param>
    /// <param name="write">As above.</param>
    /// <param name="parameter">That method's parameter, which errors name; null for those of this one.</param>
    internal SafeTensorsEntry(
        string name, DType dtype, TensorShape shape, Func<Stream, CancellationToken, ValueTask> write, string? parameter)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(write);
        Utf8Name = HeaderText.Encode(name, "The tensor's name", parameter ?? nameof(name));
        if (name == "__metadata__")
        {
            throw new ArgumentException(
                "\"__metadata__\" cannot be the name of a tensor in this format: a reader would reject the file.", parameter ?? nameof(name));
        }

        Name = name;
        DType = dtype;
        Shape = shape;
        Write = write;
        ByteLength = LengthOf(name, dtype, shape, parameter ?? nameof(shape));
    }

    /// <summary>Describes a tensor whose bytes are in memory.</summary>
    /// <param name="name">Any string but <c>__metadata__</c>.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="shape">The shape in elements, outermost dimension first.</param>
    /// <param name="bytes">The elements, row-major and little-endian.</param>
    /// <exception cref="ArgumentException">As for the other constructor, or the number of bytes is not that of dtype and shape.</exception>
    public SafeTensorsEntry(string name, DType dtype, TensorShape shape, ReadOnlyMemory<byte> bytes)
        : this(name, dtype, shape, (stream, token) => stream.WriteAsync(bytes, token))
    {
        if (bytes.Length != ByteLength)
        {
            throw new ArgumentException(
                $"The tensor {Printable.Name(name)} is {Describe()}, {ByteLength} bytes, but {bytes.Length} were passed.", nameof(bytes));
        }
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The shape in elements.</summary>
    public TensorShape Shape { get; }

    /// <summary>The number of bytes of the tensor.</summary>
    public long ByteLength { get; }

    internal byte[] Utf8Name { get; }

    internal Func<Stream, CancellationToken, ValueTask> Write { get; }

    internal string Describe() => $"{DType.Name()} {Shape.ToShortString()}";

    private static long LengthOf(string name, DType dtype, TensorShape shape, string parameter)
    {
        string what = $"The tensor {Printable.Name(name)} of {dtype.Name()} {shape.ToShortString()}";
        if (!dtype.TryGetBits(shape, out ulong bits))
        {
            throw new ArgumentException($"{what} is larger than the format allows.", parameter);
        }

        return bits % 8 == 0
            ? (long)(bits / 8)
            : throw new ArgumentException($"{what} has {bits} bits, which do not fill whole bytes: the format does not round up.", parameter);
    }
}
