using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Options;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Placing;

/// <summary>Decides for each tensor of a selection which device it goes to.</summary>
internal static class PlacedTensors
{
    /// <param name="placement">The rules.</param>
    /// <param name="selection">The tensors, as long as they will be on their devices, with all their names.</param>
    /// <param name="order">In what order they are used.</param>
    /// <param name="otherwise">Where the tensors go that no rule places.</param>
    /// <returns>The device of each tensor.</returns>
    /// <exception cref="WeightsException">A pattern takes no tensor, or two send one tensor to different devices.</exception>
    public static torch.Device[] Of(Placement placement, TensorSelection selection, Lazy<UseOrder> order, torch.Device otherwise)
    {
        var devices = new torch.Device?[selection.Tensors.Count];
        PlaceByPattern(placement, selection, devices);
        PlaceByBudget(placement, selection, order, devices);
        return [.. devices.Select(device => device ?? otherwise)];
    }

    /// <summary>The device as it is written: one text for one device, and <c>cuda</c> alone is <c>cuda:0</c>.</summary>
    public static string Text(torch.Device device) => device.type switch
    {
        DeviceType.CPU => "cpu",
        DeviceType.CUDA => $"cuda:{Math.Max(0, device.index)}",
        DeviceType type => type.ToString().ToLowerInvariant() + (device.index < 0 ? "" : $":{device.index}"),
    };

    private static void PlaceByPattern(Placement placement, TensorSelection selection, torch.Device?[] devices)
    {
        var placed = new (PlacementRule Rule, string Name)?[devices.Length];
        foreach (PlacementRule rule in placement.Rules.Where(static rule => rule.Pattern is not null))
        {
            bool isUsed = false;
            foreach ((string name, int tensor) in selection.Names.Where(pair => rule.Pattern!.Matches(pair.Key)))
            {
                isUsed = true;
                if (placed[tensor] is { } other && Text(other.Rule.Device) != Text(rule.Device))
                {
                    string same = other.Name == name ? "" : $", which is tied to {Printable.Name(other.Name)},";
                    throw new WeightsException(
                        $"Placement: {Printable.Name(name)}{same} is put on {Text(other.Rule.Device)} "
                            + $"by {Printable.Name(other.Rule.Pattern!.ToString())} "
                            + $"and on {Text(rule.Device)} by {Printable.Name(rule.Pattern!.ToString())}; a tensor has one place.");
                }

                placed[tensor] = (rule, name);
                devices[tensor] = rule.Device;
            }

            if (!isUsed)
            {
                throw UnmatchedPattern.Error("Placement", rule.Pattern!, selection);
            }
        }
    }

    // Never back to a device that something did not fit on: layers that follow each other lie together.
    private static void PlaceByBudget(Placement placement, TensorSelection selection, Lazy<UseOrder> order, torch.Device?[] devices)
    {
        if (placement.Rules.All(static rule => rule.Pattern is not null))
        {
            return;
        }

        using IEnumerator<PlacementRule> budgets = placement.Rules.Where(static rule => rule.Pattern is null).GetEnumerator();
        long left = 0;
        PlacementRule? budget = Next();
        IEnumerable<IGrouping<int, int>> steps = Enumerable.Range(0, devices.Length)
            .Where(tensor => devices[tensor] is null)
            .GroupBy(tensor => order.Value.Steps[tensor])
            .OrderBy(static step => step.Key);
        foreach (IGrouping<int, int> step in steps)
        {
            long bytes = step.Sum(tensor => selection.Tensors[tensor].Info.ByteLength);
            while (budget is not null && bytes > left)
            {
                budget = Next();
            }

            if (budget is null)
            {
                return;
            }

            left -= bytes;
            foreach (int tensor in step)
            {
                devices[tensor] = budget.Device;
            }
        }

        PlacementRule? Next()
        {
            PlacementRule? next = budgets.MoveNext() ? budgets.Current : null;
            left = next?.Budget ?? 0;
            return next;
        }
    }
}
