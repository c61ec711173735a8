using System.Text;

namespace TypedWeights.Json;

/// <summary>The members that an object may have. One that comes twice or is missing is an error; others are skipped.</summary>
/// <param name="of">The object, for messages: "a tensor".</param>
/// <param name="required">The members that it must have.</param>
/// <param name="optional">The members that it may have.</param>
internal sealed class ObjectMembers(string of, string[] required, params string[] optional)
{
    private readonly string _of = of;
    private readonly int _required = required.Length;
    private readonly string[] _names = [.. required, .. optional];
    private readonly byte[][] _utf8Names = [.. required.Concat(optional).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Starts reading the next object.</summary>
    public Reading Begin(ref JsonPullReader json)
    {
        int start = json.Position;
        json.BeginObject();
        return new Reading(this, start);
    }

    /// <summary>An object that is being read.</summary>
    internal struct Reading(ObjectMembers members, int start)
    {
        private uint _seen;

        /// <summary>Moves to the value of the next known member, which the caller must then read.</summary>
        /// <returns>False when the object has ended and every required member was found.</returns>
        public bool Next(ref JsonPullReader json, out string name)
        {
            while (json.NextField(out ReadOnlySpan<byte> field))
            {
                int index = 0;
                while (index < members._names.Length && !field.SequenceEqual(members._utf8Names[index]))
                {
                    index++;
                }

                if (index < members._names.Length)
                {
                    name = members._names[index];
                    uint bit = 1u << index;
                    _seen = (_seen & bit) == 0 ? _seen | bit : throw new JsonReadException(json.Position, $"{members._of} lists \"{name}\" twice");
                    return true;
                }

                json.Skip();
            }

            for (int index = 0; index < members._required; index++)
            {
                if ((_seen & (1u << index)) == 0)
                {
                    throw new JsonReadException(start, $"{members._of} has no \"{members._names[index]}\"");
                }
            }

            name = "";
            return false;
        }
    }
}
