using TypedWeights.Errors;

namespace TypedWeights.Json;

/// <summary>The members an object has shown so far: refuses one that comes twice and names one that never came.</summary>
internal sealed class MemberSet
{
    // No usual object has more. What has, may have millions: then there is room for all of them at once, and no table grows.
    private const int Usual = 1000;

    private readonly string _of;
    private Dictionary<string, bool> _seen = new(StringComparer.Ordinal);

    /// <param name="of">What the members belong to, for the message: "a tensor".</param>
    public MemberSet(string of) => _of = of;

    /// <summary>Takes the next member.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="json">The reader, at the member's value.</param>
    /// <returns>How many members there may be, where there are many; 0 otherwise.</returns>
    public int Add(string name, JsonPullReader json)
    {
        if (_seen.ContainsKey(name))
        {
            throw new JsonReadException(json.Position, $"{Printable.Name(name)} stands twice in {_of}");
        }

        int all = 0;
        if (_seen.Count == Usual)
        {
            all = Usual + 1 + json.CountMembersBehind();
            var seen = new Dictionary<string, bool>(all, StringComparer.Ordinal);
            foreach (string known in _seen.Keys)
            {
                seen.Add(known, true);
            }

            _seen = seen;
        }

        _seen.Add(name, true);
        return all;
    }

    public void Require(ReadOnlySpan<string> names, int position)
    {
        foreach (string name in names)
        {
            if (!_seen.ContainsKey(name))
            {
                throw new JsonReadException(position, $"{_of} has no \"{name}\"");
            }
        }
    }
}
