using TypedWeights.Errors;

namespace TypedWeights.Json;

/// <summary>The members an object has shown so far: refuses one that comes twice and names one that never came.</summary>
internal sealed class MemberSet
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly string _of;

    /// <param name="of">What the members belong to, for the message: "a tensor".</param>
    public MemberSet(string of) => _of = of;

    public void Add(string name, int position)
    {
        if (!_seen.Add(name))
        {
            throw new JsonReadException(position, $"{Printable.Name(name)} stands twice in {_of}");
        }
    }

    public void Require(ReadOnlySpan<string> names, int position)
    {
        foreach (string name in names)
        {
            if (!_seen.Contains(name))
            {
                throw new JsonReadException(position, $"{_of} has no \"{name}\"");
            }
        }
    }
}
