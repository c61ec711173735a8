namespace TypedWeights.Sources;

/// <summary>A file that a server was asked for: what it holds came from outside, and may repeat what the server was sent.</summary>
internal interface IRequestedSource
{
    /// <summary>The request that was answered last; null for none.</summary>
    HttpRequestMessage? Asked { get; }
}
