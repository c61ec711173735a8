namespace TypedWeights.Sources.Given;

/// <summary>Calls of the caller's stream, whose failures become errors of the load.</summary>
internal static class StreamReading
{
    /// <summary>What messages call the file.</summary>
    public const string Name = "stream";

    /// <summary>Reads the next bytes of a stream.</summary>
    /// <returns>How many bytes came; 0 at the end of the stream.</returns>
    /// <exception cref="WeightSourceException">The stream failed.</exception>
    public static async ValueTask<int> ReadSomeAsync(Stream stream, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure(e);
        }
    }

    /// <summary>Reads as many bytes as there is room for.</summary>
    /// <returns>How many bytes came: fewer only where the stream has ended.</returns>
    /// <exception cref="WeightSourceException">The stream failed.</exception>
    public static async ValueTask<int> FillAsync(Stream stream, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAtLeastAsync(destination, destination.Length, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure(e);
        }
    }

    /// <summary>The error of a stream that ended before the file did.</summary>
    public static WeightSourceException Ended(long position, long length) =>
        new(Name, $"the stream ended after {position} of {length} bytes. The file in it was cut short; open the whole file.");

    /// <summary>The error of a stream that threw. Its type is named, as the message of another library may say little.</summary>
    public static WeightSourceException Failure(Exception cause) =>
        new(Name, $"reading the stream failed ({cause.GetType().Name}): {cause.Message}", innerException: cause);
}
