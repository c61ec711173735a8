using TypedWeights.Format;

namespace TypedWeights.Sources.Given;

/// <summary>
/// A file that a stream without seeking holds from its position to its end, read in order. Its header, which is read when the file is opened,
/// states its length.
/// </summary>
internal sealed class ForwardStreamSource : SequentialSource
{
    private ForwardStreamSource(ForwardBody body, long length, ReadOnlyMemory<byte> start)
        : base(body, length, start)
    {
    }

    public override string Display => StreamFailure.Name;

    public override string? Validator => null;

    public override string? Version => null;

    /// <summary>Reads the header, or enough of the stream to find what it is instead.</summary>
    /// <exception cref="WeightSourceException">The stream failed.</exception>
    /// <exception cref="MemoryLimitException">The header needs more memory than the limit of the load, or the container, leaves.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(Stream stream, CancellationToken cancellationToken)
    {
        var body = new Body(stream);
        byte[] bytes = new byte[FileSniffer.Wanted];
        int count = await body.FillAsync(bytes, cancellationToken).ConfigureAwait(false);
        (long length, ReadOnlyMemory<byte> start) = await FindLengthAsync(
            body, bytes.AsMemory(0, count), mayBeIndex: false, StreamFailure.Name, cancellationToken).ConfigureAwait(false);
        return new ForwardStreamSource(body, length, start);
    }

    protected override ValueTask<ForwardBody> ReopenAsync(CancellationToken cancellationToken) =>
        throw new WeightSourceException(Display, "the stream has been read past its start and cannot be read again.");

    /// <summary>The caller's stream, which is not disposed.</summary>
    private sealed class Body(Stream stream) : ForwardBody(stream, length: null)
    {
        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override WeightSourceException TooShort() => StreamFailure.Ended(Received, Length!.Value);

        protected override WeightSourceException TooLong() => new(
            StreamFailure.Name,
            $"the tensors end at byte {Length}, but the stream continues, which the format does not allow; "
                + "pass a stream that ends with the file.");

        protected override WeightSourceException? Explain(Exception e, CancellationToken cancellationToken) =>
            e is WeightSourceException || cancellationToken.IsCancellationRequested ? null : StreamFailure.Of(e);
    }
}
