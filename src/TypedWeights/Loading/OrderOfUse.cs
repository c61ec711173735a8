using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Manifests;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Loading;

/// <summary><see cref="CommonLoadOptions.OrderOfUse"/>, made when somebody asks: a load that brings everything at once does without it.</summary>
internal static class OrderOfUse
{
    /// <exception cref="WeightsException">A pattern of the options cannot be read, or takes no tensor.</exception>
    public static Lazy<UseOrder> Of(CommonLoadOptions options, TensorSelection selection)
    {
        NameGlob[] patterns = [.. (options.OrderOfUse ?? []).Select(Parse)];
        var order = new Lazy<UseOrder>(() => UseOrder.Of(selection, patterns));
        if (patterns.Length > 0)
        {
            _ = order.Value;
        }

        return order;
    }

    private static NameGlob Parse(string pattern)
    {
        try
        {
            return NameGlob.Parse(pattern);
        }
        catch (FormatException e)
        {
            throw new WeightsException($"OrderOfUse: {Printable.Name(pattern)} is no pattern: {e.Message}.", e);
        }
    }
}
