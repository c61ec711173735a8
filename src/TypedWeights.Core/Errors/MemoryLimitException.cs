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
            $"{Printable.Line(source)}: {tensorBytes:N0} bytes for tensors and {bufferBytes:N0} for buffers, "
                + $"{tensorBytes + bufferBytes:N0} in all: {message}"))
    {
        TensorBytes = tensorBytes;
        BufferBytes = bufferBytes;
        Limit = limit;
    }

    /// <summary>Makes the error of a device that has too little memory.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="deviceBytes">Memory of the device for tensors.</param>
    /// <param name="limit">What there is.</param>
    /// <param name="message">What there is, and what to do; source and number are put before it.</param>
    /// <param name="inner">What the allocator said, if it was asked.</param>
    internal MemoryLimitException(string source, long deviceBytes, long limit, string message, Exception? inner = null)
        : base(string.Create(CultureInfo.InvariantCulture, $"{Printable.Line(source)}: {deviceBytes:N0} bytes for tensors: {message}"), inner)
    {
        TensorBytes = deviceBytes;
        Limit = limit;
    }

    /// <summary>The memory that the tensors would take, in bytes: of the host, or of the device that the message names.</summary>
    public long TensorBytes { get; }

    /// <summary>The host memory beyond the tensors that the load cannot do without, in bytes.</summary>
    public long BufferBytes { get; }

    /// <summary>
    /// The limit that was met, in bytes: <c>LoadOptions.MemoryLimit</c> for all of it, <see cref="TransferOptions.BufferLimit"/> for the
    /// buffers alone, or what memory the device has.
    /// </summary>
    public long Limit { get; }
}
