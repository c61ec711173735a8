namespace TypedWeights.Sources.Stores;

/// <summary>A call of a store's SDK, in the words of the error that is thrown when the SDK fails.</summary>
/// <param name="Display">The file as messages may show it.</param>
/// <param name="Setting">
/// What the call depends on, with the variable, option or file that it comes from: <c>the profile dev (AWS_PROFILE, ~/.aws/config)</c>.
/// </param>
public sealed record SdkCall(string Display, string Setting)
{
    /// <summary>Explains what a failure means and what to do, in one sentence, without secrets.</summary>
    /// <value>null, also as its result: the SDK's own words say enough.</value>
    public Func<Exception, string?>? Explain { get; init; }

    /// <summary>Whether a failure is transient, by the SDK's own types of exceptions.</summary>
    /// <value>null, also as its result: failures of the network are (no connection, a time-out, 408, 429, 5xx), all others are not.</value>
    public Func<Exception, bool?>? IsTransient { get; init; }

    /// <summary>Returns the secrets that the SDK's words may repeat, which are not shown. Called after a failure.</summary>
    /// <value>null: none</value>
    public Func<IEnumerable<string>>? Secrets { get; init; }

    /// <summary>
    /// Files that the SDK reads for the call. A pipe, a device or a folder is refused before the SDK waits for it. The SDK's words may quote a
    /// line of the files: no word of them that could be a secret is shown.
    /// </summary>
    /// <value>none</value>
    public IReadOnlyList<SdkFile> Files { get; init; } = [];
}

/// <summary>A file that an SDK reads.</summary>
/// <param name="Path">The file.</param>
/// <param name="Origin">The variable or setting that names it; null for a file that the SDK looks for by itself.</param>
public sealed record SdkFile(string Path, string? Origin)
{
    /// <summary>The file that a variable names.</summary>
    /// <param name="variable">The variable.</param>
    /// <returns>Empty if the variable is not set.</returns>
    public static IReadOnlyList<SdkFile> Of(string variable) =>
        StoreSetting.Of(variable) is { } path ? [new SdkFile(path, variable)] : [];
}
