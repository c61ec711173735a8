using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;
using TypedWeights.Manifests;
using TypedWeights.Placements;

namespace TypedWeights.Generators.Tree;

/// <summary>The device of each weight after the placements of a class, and the problems of the placements.</summary>
internal sealed class PlacedNames
{
    private const int MostNamesInSearch = 20_000;

    // By the name of the tensor that has the bytes: a tied weight has only one device.
    private readonly Dictionary<string, PlacementSpec> _byTensor = new(StringComparer.Ordinal);
    private readonly List<Problem> _problems = [];
    private readonly string _class;

    /// <param name="class">The class with its placements.</param>
    /// <param name="weights">Every weight, tied ones included.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public PlacedNames(ClassSpec @class, IReadOnlyList<WeightTensor> weights, CancellationToken cancellationToken)
    {
        _class = @class.Name;
        for (int i = 0; i < @class.Placements.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Check(@class.Placements[i], weights) is { } problem)
            {
                _problems.Add(problem with { Placement = i });
            }
        }
    }

    /// <summary>The problems to report; with any of them, no placement is generated.</summary>
    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>The device of a weight; null if no placement matches it.</summary>
    public string? DeviceOf(WeightTensor weight) => _byTensor.TryGetValue(weight.TiedTo ?? weight.Name, out PlacementSpec? placement)
        ? placement.Device
        : null;

    private Problem? Check(PlacementSpec placement, IReadOnlyList<WeightTensor> weights)
    {
        if (!DeviceText.TryParse(placement.Device, out _, out _))
        {
            return Problem.Of(
                Descriptors.NoDevice, TensorText.Shortened(TensorText.Printable(placement.Device)), string.Join(", ", DeviceText.Types));
        }

        NameGlob pattern;
        try
        {
            pattern = NameGlob.Parse(placement.Pattern);
        }
        catch (FormatException e)
        {
            return Unplaced(placement, $"it is not valid ({e.Message})");
        }

        List<WeightTensor> placed = [.. weights.Where(weight => pattern.Matches(weight.Name))];
        if (placed.Count == 0)
        {
            string groups = TensorText.Names(weights.Take(MostNamesInSearch).Select(static weight => weight.Name), default);
            return Unplaced(placement, "the weights are " + groups);
        }

        foreach (WeightTensor weight in placed)
        {
            string tensor = weight.TiedTo ?? weight.Name;
            if (_byTensor.TryGetValue(tensor, out PlacementSpec? other) && !DeviceText.AreSame(other.Device, placement.Device))
            {
                return Problem.Of(
                    Descriptors.TwoPlaces,
                    Shown(placement.Pattern),
                    TensorText.Shortened(TensorText.Printable(weight.Name)),
                    placement.Device,
                    Shown(other.Pattern),
                    other.Device);
            }

            _byTensor[tensor] = placement;
        }

        return null;
    }

    private Problem Unplaced(PlacementSpec placement, string why) =>
        Problem.Of(Descriptors.NothingToPlace, _class, Shown(placement.Pattern), why);

    private static string Shown(string pattern) => TensorText.Shortened(pattern);
}
