using System.Globalization;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>A load that needs more memory than it was given. Nothing was allocated; what it needs is known here in numbers.</summary>
public sealed class MemoryLimitException : WeightsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="tensorBytes">Host memory for tensors.</param>
    /// <param name="bufferBytes">Host memory beyond them that the load cannot do without.</param>
    /// <param name="limit">What it was given.</param>
    /// <param name="message">What the limit is, and what to do; source and numbers are put before it.</param>
    internal MemoryLimitException(string source, long tensorBytes, long bufferBytes, long limit, string message)
        : base(string.Create(
            CultureInfo.InvariantCulture,
            $"{Printable.Line(source)}: {tensorBytes:N0} bytes for tensors and {bufferBytes:N0} for buffers, {tensorBytes + bufferBytes:N0} in all: {message}"))
    {
        TensorBytes = tensorBytes;
        BufferBytes = bufferBytes;
        Limit = limit;
    }

    /// <summary>The host memory that the tensors would take, in bytes.</summary>
    public long TensorBytes { get; }

    /// <summary>The host memory beyond the tensors that the load cannot do without, in bytes.</summary>
    public long BufferBytes { get; }

    /// <summary>
    /// The limit that was met, in bytes: <c>LoadOptions.MemoryLimit</c> for all of it, or <see cref="TransferOptions.BufferLimit"/> for the
    /// buffers alone.
    /// </summary>
    public long Limit { get; }
}
