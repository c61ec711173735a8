using System.Globalization;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>A load needs more memory than its limit allows. Nothing was allocated; the properties state what the load needs.</summary>
public sealed class MemoryLimitException : WeightsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="tensorBytes">Host memory for tensors.</param>
    /// <param name="bufferBytes">Host memory that the load needs in addition to the tensors.</param>
    /// <param name="limit">The limit, in bytes.</param>
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
    /// <param name="limit">The memory that is available, in bytes.</param>
    /// <param name="message">How much memory is available, and what to do; source and number are put before it.</param>
    /// <param name="inner">The error of the allocator, if it was called.</param>
    internal MemoryLimitException(string source, long deviceBytes, long limit, string message, Exception? inner = null)
        : base(string.Create(CultureInfo.InvariantCulture, $"{Printable.Line(source)}: {deviceBytes:N0} bytes for tensors: {message}"), inner)
    {
        TensorBytes = deviceBytes;
        Limit = limit;
    }

    /// <summary>The memory that the tensors need, in bytes: on the host, or on the device that the message names.</summary>
    public long TensorBytes { get; }

    /// <summary>The host memory that the load needs in addition to the tensors, in bytes.</summary>
    public long BufferBytes { get; }

    /// <summary>
    /// The limit that the load exceeds, in bytes: <c>LoadOptions.MemoryLimit</c> for all memory, <see cref="TransferOptions.BufferLimit"/> for the
    /// buffers, or the available memory of the device.
    /// </summary>
    public long Limit { get; }
}
