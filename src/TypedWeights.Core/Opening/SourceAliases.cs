using TypedWeights.Sources;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Opening;

/// <summary>
/// URI schemes that stand for another location: <c>models://story</c> for <c>s3://bucket/prefix/story</c> in production and for a folder in
/// development.
/// </summary>
/// <param name="given">The aliases that were added, by scheme; they come before those of the environment.</param>
internal sealed class SourceAliases(IReadOnlyDictionary<string, string> given)
{
    /// <summary>Says of a scheme that nothing serves what would make it an alias.</summary>
    public static string Unset(string scheme) => $"if it is an alias, set the variable {VariableOf(scheme)} to the location it stands for";

    /// <summary>Follows aliases to a URI that is not one.</summary>
    /// <param name="uri">Any URI.</param>
    /// <param name="isServed">Whether a provider serves a scheme; then it cannot be an alias.</param>
    /// <returns>The same object if its scheme is not an alias.</returns>
    /// <exception cref="WeightSourceException">The aliases lead in a circle, or to something that is not a URI.</exception>
    public WeightUri Resolve(WeightUri uri, Func<string, bool> isServed)
    {
        var seen = new List<string>();
        WeightUri at = uri;
        while (!isServed(at.Scheme) && TargetOf(at.Scheme) is { } target)
        {
            if (seen.Contains(at.Scheme))
            {
                throw new WeightSourceException(
                    uri.Display, $"the aliases form a circle: {string.Join(":// → ", seen.Append(at.Scheme))}://.");
            }

            seen.Add(at.Scheme);
            at = WeightUri.TryParse(Join(target, at.Original[(at.Scheme.Length + 3)..]), out WeightUri? next, out string error)
                ? next
                : throw new WeightSourceException(uri.Display, $"the alias {at.Scheme}:// ({VariableOf(at.Scheme)}) does not lead to a "
                    + $"location: {error}");
        }

        return at;
    }

    private static string VariableOf(string scheme) => scheme == "anyscale"
        ? "ANYSCALE_ARTIFACT_STORAGE"
        : "TYPEDWEIGHTS_ALIAS_" + scheme.ToUpperInvariant().Replace('-', '_').Replace('.', '_').Replace('+', '_');

    private string? TargetOf(string scheme) =>
        given.TryGetValue(scheme, out string? target) ? target
        : StoreSetting.Of(VariableOf(scheme))?.Trim() is { Length: > 0 } text ? text
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
