using TypedWeights.Checkpoints;
using TypedWeights.Manifests;

namespace TypedWeights.Transfer.Planning;

/// <summary>
/// In what order a model uses its tensors, in steps: what is used together, as a layer is, is a step. Only time depends on it, never
/// what is loaded.
/// </summary>
internal sealed class UseOrder
{
    /// <param name="steps">For each tensor the number of its step.</param>
    public UseOrder(IReadOnlyList<int> steps) => Steps = steps;

    /// <summary>For each tensor of a selection the number of its step, from 0.</summary>
    public IReadOnlyList<int> Steps { get; }

    /// <summary>Orders a selection's tensors.</summary>
    /// <param name="selection">The tensors with all their names: one that is tied is needed when its first name is.</param>
    /// <param name="patterns">
    /// What comes first, in their order; the rest, and what one pattern takes, is in the usual order of <see cref="StepName"/>.
    /// </param>
    /// <exception cref="WeightsException">A pattern takes no tensor.</exception>
    public static UseOrder Of(TensorSelection selection, IReadOnlyList<NameGlob> patterns)
    {
        var taken = new bool[patterns.Count];
        var first = new (int Pattern, StepName Name)?[selection.Tensors.Count];
        foreach ((string name, int tensor) in selection.Names)
        {
            int pattern = 0;
            while (pattern < patterns.Count && !patterns[pattern].Matches(name))
            {
                pattern++;
            }

            if (pattern < patterns.Count)
            {
                taken[pattern] = true;
            }

            (int, StepName) step = (pattern, new StepName(name));
            if (first[tensor] is not { } known || Compare(step, known) < 0)
            {
                first[tensor] = step;
            }
        }

        int unused = Array.IndexOf(taken, false);
        if (unused >= 0)
        {
            throw UnmatchedPattern.Error("OrderOfUse", patterns[unused], selection);
        }

        return new UseOrder(Number(first));
    }

    private static int[] Number((int Pattern, StepName Name)?[] steps)
    {
        int[] order = [.. Enumerable.Range(0, steps.Length)];
        Array.Sort(order, (a, b) => Compare(steps[a]!.Value, steps[b]!.Value));
        int[] numbers = new int[steps.Length];
        int step = 0;
        for (int i = 0; i < order.Length; i++)
        {
            step += i > 0 && Compare(steps[order[i - 1]]!.Value, steps[order[i]]!.Value) != 0 ? 1 : 0;
            numbers[order[i]] = step;
        }

        return numbers;
    }

    private static int Compare((int Pattern, StepName Name) a, (int Pattern, StepName Name) b) =>
        a.Pattern != b.Pattern ? a.Pattern.CompareTo(b.Pattern) : a.Name.CompareTo(b.Name);
}
