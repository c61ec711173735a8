namespace TypedWeights.Sources.Http;

/// <summary>The body of one response. The bytes go from the socket straight to their destination.</summary>
/// <param name="response">The response, whose headers have been checked; disposed with this.</param>
/// <param name="length">The number of bytes that must arrive; null when only the end of the body shows it.</param>
/// <param name="display">The file as it may be shown.</param>
internal sealed class HttpBody(HttpResponseMessage response, long? length, string display)
    : ForwardBody(response.Content.ReadAsStream(), length)
{
    // With a Content-Length, the client ends the body, and later bytes belong to no response.
    protected override bool EndsByItself { get; } = ResponseCheck.LengthOf(response, display) is not null;

    private string Progress => Length is null ? $"{Received} bytes" : $"{Received} of {Length} bytes";

    public override ValueTask DisposeAsync()
    {
        response.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override WeightSourceException TooShort() => new(display, $"the response ended after {Progress}.") { IsTransient = true };

    protected override WeightSourceException TooLong() =>
        new(display, $"the server sent more than the {Length} bytes that it should have sent.");

    protected override WeightSourceException? Explain(Exception e, CancellationToken cancellationToken) => e switch
    {
        IOException or HttpRequestException or ObjectDisposedException =>
            TransportFailure.Broken(e, Progress, display, response.RequestMessage),
        OperationCanceledException cancelled when !cancellationToken.IsCancellationRequested => TransportFailure.TimedOut(cancelled, display),
        _ => null,
    };
}
