using TypedWeights.Sources;

namespace TypedWeights.Opening;

/// <summary>
/// Schemes that stand for a place: <c>models://story</c> for <c>s3://bucket/prefix/story</c> in production and a folder in development.
/// </summary>
/// <param name="given">Those that were added, by scheme; they come before the environment's.</param>
/// <param name="variable">Reads an environment variable.</param>
internal sealed class SourceAliases(IReadOnlyDictionary<string, string> given, Func<string, string?> variable)
{
    private const string Anyscale = "anyscale";
    private const string AnyscaleVariable = "ANYSCALE_ARTIFACT_STORAGE";

    /// <summary>None but the environment's.</summary>
    public static SourceAliases Environment { get; } = new(new Dictionary<string, string>(), System.Environment.GetEnvironmentVariable);

    /// <summary>The variable that says where a scheme leads.</summary>
    public static string VariableOf(string scheme) => scheme == Anyscale
        ? AnyscaleVariable
        : "TYPEDWEIGHTS_ALIAS_" + scheme.ToUpperInvariant().Replace('-', '_').Replace('.', '_').Replace('+', '_');

    /// <summary>Says of a scheme that nothing serves how it would be an alias.</summary>
    public static string Unset(string scheme) => $"if it is an alias, say where it leads in the variable {VariableOf(scheme)}, which is not set";

    /// <summary>Follows aliases to the place itself.</summary>
    /// <param name="uri">Any URI.</param>
    /// <param name="isServed">Whether a store serves a scheme; that is no alias then.</param>
    /// <returns>The URI as it was where its scheme is no alias.</returns>
    /// <exception cref="WeightSourceException">The aliases lead in a circle, or to what is no URI.</exception>
    public WeightUri Resolve(WeightUri uri, Func<string, bool> isServed)
    {
        var seen = new List<string>();
        WeightUri at = uri;
        while (!isServed(at.Scheme) && TargetOf(at.Scheme) is { } target)
        {
            if (seen.Contains(at.Scheme))
            {
                throw new WeightSourceException(
                    uri.Display, $"the aliases lead in a circle: {string.Join(":// → ", seen.Append(at.Scheme))}://.");
            }

            seen.Add(at.Scheme);
            at = WeightUri.TryParse(Join(target, at.Original[(at.Scheme.Length + 3)..]), out WeightUri? next, out string error)
                ? next
                : throw new WeightSourceException(uri.Display, $"the alias {at.Scheme}:// ({VariableOf(at.Scheme)}) leads nowhere: {error}");
        }

        return at.Scheme != Anyscale || isServed(Anyscale)
            ? at
            : throw new WeightSourceException(
                uri.Display, $"{Anyscale}:// lies in the artifact storage that {AnyscaleVariable} names, and that is not set.");
    }

    private string? TargetOf(string scheme) =>
        given.TryGetValue(scheme, out string? target) ? target
        : variable(VariableOf(scheme))?.Trim() is { Length: > 0 } text ? text
        : null;

    // A target may have a query (a shared access signature), which belongs after the path.
    private static string Join(string target, string rest)
    {
        int query = target.Contains("://", StringComparison.Ordinal) ? target.IndexOf('?') : -1;
        string path = (query < 0 ? target : target[..query]).TrimEnd('/');
        int own = rest.IndexOf('?');
        string parameters = (query < 0 ? "" : target[query..]) + (own < 0 ? "" : query < 0 ? rest[own..] : "&" + rest[(own + 1)..]);
        return $"{path}/{(own < 0 ? rest : rest[..own]).TrimStart('/')}{parameters}";
    }
}
