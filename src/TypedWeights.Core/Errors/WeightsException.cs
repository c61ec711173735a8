using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>The base of every error about weights: catch this one to catch them all. Messages carry no secrets.</summary>
public class WeightsException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">
    /// What was expected, what was found, and what to do. Characters that do not show are escaped, and what is too long is cut.
    /// </param>
    /// <param name="innerException">What caused it, if anything.</param>
    public WeightsException(string message, Exception? innerException = null)
        : base(Printable.Lines(message), innerException)
    {
    }
}
