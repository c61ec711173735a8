using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Manifests;
using TypedWeights.Placements;

namespace TypedWeights;

/// <summary>
/// Which tensors go to which device: by patterns over their names, by a budget of bytes for each device, or by both. Immutable: each call
/// returns another placement.
/// </summary>
/// <remarks>
/// <para>
/// A pattern is a name in which <c>{0..15}</c> or <c>{0,2,5}</c> stands for numbers and <c>*</c> for any text, dots included; it must match the
/// whole name. Patterns precede budgets. A pattern that matches no tensor is an error, and so are two patterns that put one tensor on different
/// devices. A tied tensor has one device, which any of its names may select.
/// </para>
/// <para>
/// Budgets take the tensors that match no pattern, in the order in which the model uses them (<see cref="CommonLoadOptions.OrderOfUse"/>), a
/// layer as a whole. The rest goes to <see cref="CommonLoadOptions.Device"/>.
/// </para>
/// </remarks>
/// <example><code>
/// new Placement().Put("model.embed_tokens.*", "cpu").Put("model.layers.{0..15}.*", "cuda:0").Put("model.layers.{16..31}.*", "cuda:1")
/// new Placement().Fill("cuda:0", 22L &lt;&lt; 30).Fill("cuda:1", 22L &lt;&lt; 30)
/// </code></example>
public sealed class Placement
{
    private readonly PlacementRule[] _rules;

    /// <summary>Creates a placement without rules.</summary>
    public Placement()
        : this([])
    {
    }

    private Placement(PlacementRule[] rules) => _rules = rules;

    internal IReadOnlyList<PlacementRule> Rules => _rules;

    /// <summary>Puts the tensors of some names on a device.</summary>
    /// <param name="pattern">The names, such as <c>model.layers.{0..15}.*</c>.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentException">The pattern cannot be read.</exception>
    public Placement Put(string pattern, torch.Device device)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(device);
        try
        {
            return new([.. _rules, new PlacementRule(device, NameGlob.Parse(pattern), 0)]);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{Printable.Name(pattern)} is not a valid pattern: {e.Message}.", nameof(pattern), e);
        }
    }

    /// <summary>Puts the tensors of some names on a device.</summary>
    /// <param name="pattern">The names, such as <c>model.layers.{0..15}.*</c>.</param>
    /// <param name="device"><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</param>
    /// <exception cref="ArgumentException">The pattern cannot be read, or the text does not name a device.</exception>
    public Placement Put(string pattern, string device) => Put(pattern, Parse(device));

    /// <summary>Fills a device with tensors that no pattern matches, in the order of use and after the devices of earlier budgets.</summary>
    /// <param name="device">The device.</param>
    /// <param name="bytes">The largest size of its tensors together; they take slightly more memory, which is aligned.</param>
    /// <exception cref="ArgumentOutOfRangeException">The budget is negative.</exception>
    public Placement Fill(torch.Device device, long bytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new([.. _rules, new PlacementRule(device, null, bytes)]);
    }

    /// <summary>Fills a device with tensors that no pattern matches, in the order of use and after the devices of earlier budgets.</summary>
    /// <param name="device"><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</param>
    /// <param name="bytes">The largest size of its tensors together; they take slightly more memory, which is aligned.</param>
    /// <exception cref="ArgumentException">The text does not name a device, or the budget is negative.</exception>
    public Placement Fill(string device, long bytes) => Fill(Parse(device), bytes);

    private static torch.Device Parse(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return DeviceText.TryParse(device, out string type, out int index) && Enum.TryParse(type, ignoreCase: true, out DeviceType found)
            ? new torch.Device(found, index)
            : throw new ArgumentException(
                $"{Printable.Name(device)} is not a valid device; use {string.Join(", ", DeviceText.Types)} or cuda:N.", nameof(device));
    }
}

/// <summary>One rule of a <see cref="Placement"/>.</summary>
/// <param name="Device">The device.</param>
/// <param name="Pattern">Which names; null for a budget.</param>
/// <param name="Budget">The most bytes; unused with a pattern.</param>
internal sealed record PlacementRule(torch.Device Device, NameGlob? Pattern, long Budget);
