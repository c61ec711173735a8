using System.Globalization;
using TypedWeights.Manifests;

namespace TypedWeights.Placements;

/// <summary>Devices as text: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>. The loader and the generator read them in the same way.</summary>
internal static class DeviceText
{
    // libtorch counts devices in a signed byte.
    private const int MostDevices = 127;

    /// <summary>The kinds of device, as libtorch writes them.</summary>
    public static readonly IReadOnlyList<string> Types = ["cpu", "cuda", "hip", "mps", "xla"];

    /// <summary>Reads a device.</summary>
    /// <param name="text">The text.</param>
    /// <param name="type">One of <see cref="Types"/>.</param>
    /// <param name="index">The number behind the colon; -1 if there is no number, and for the CPU.</param>
    public static bool TryParse(string? text, out string type, out int index)
    {
        int colon = text?.IndexOf(':') ?? -1;
        type = colon < 0 ? text ?? "" : text!.Substring(0, colon);
        string number = colon < 0 ? "" : text!.Substring(colon + 1);
        index = NamePattern.IsNumber(number) ? int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture) : -1;
        if (colon >= 0 != index >= 0 || index > MostDevices || !Types.Contains(type, StringComparer.Ordinal) || (type == "cpu" && index > 0))
        {
            return false;
        }

        index = type == "cpu" ? -1 : index;
        return true;
    }

    /// <summary>Whether two texts mean one device: <c>cuda</c> alone is <c>cuda:0</c>.</summary>
    public static bool AreSame(string one, string other) => TryParse(one, out string type, out int index)
        && TryParse(other, out string otherType, out int otherIndex)
        && type == otherType
        && Math.Max(0, index) == Math.Max(0, otherIndex);
}
