using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>The base of every error about weights: catch this one to catch them all. Messages carry no secrets.</summary>
public class WeightsException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">
    /// What was expected, what was found, and what to do. Invisible characters are escaped, and a message that is too long is cut.
    /// </param>
    /// <param name="innerException">The cause, if there is one.</param>
    public WeightsException(string message, Exception? innerException = null)
        : base(Printable.Lines(message), innerException)
    {
    }
}
