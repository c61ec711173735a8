namespace TypedWeights.Sources.Stores;

/// <summary>What a store wants from its SDK, in the words of the error that is thrown when the SDK fails.</summary>
/// <param name="Display">The file as it may be shown.</param>
/// <param name="Setting">
/// What the call depends on, with the variable, option or file that it comes from: <c>the profile dev (AWS_PROFILE, ~/.aws/config)</c>.
/// </param>
public sealed record SdkCall(string Display, string Setting)
{
    /// <summary>Says what a failure means and what to do, in one sentence. It must not repeat a secret.</summary>
    /// <value>null, also as its answer: the SDK's own words say enough.</value>
    public Func<Exception, string?>? Explain { get; init; }

    /// <summary>Whether a failure may pass by itself, by the SDK's own types of exceptions.</summary>
    /// <value>null, also as its answer: what a network did may pass (no connection, a time-out, 408, 429, 5xx), all else not.</value>
    public Func<Exception, bool?>? IsTransient { get; init; }

    /// <summary>Gives the secrets that the SDK's words may repeat; they are not shown. Asked for after a failure.</summary>
    /// <value>null: none</value>
    public Func<IEnumerable<string>>? Secrets { get; init; }

    /// <summary>
    /// Files that the SDK reads for it. A pipe, a device or a folder is refused before the SDK waits for it. The SDK's words may quote a line
    /// of the others: no word of theirs that could be a secret is shown.
    /// </summary>
    /// <value>none</value>
    public IReadOnlyList<SdkFile> Files { get; init; } = [];
}
