namespace TypedWeights.Errors;

/// <summary>The checks of option values that .NET has no method for. The packages of the stores compile this file too.</summary>
internal static class OptionValue
{
    /// <summary>Throws for a number that was cast to an enum and is not one of its values.</summary>
    /// <param name="value">The option's value.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentOutOfRangeException">The enum has no such value.</exception>
    public static void ThrowUnlessDefined<T>(T value, string name)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is not a value of {typeof(T).Name}.");
        }
    }

    /// <summary>Throws for an address that no request can be sent to.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It is not an absolute http or https URL.</exception>
    public static void ThrowUnlessHttp(Uri? value, string name)
    {
        if (value is not null && !(value.IsAbsoluteUri && value.Scheme is "http" or "https"))
        {
            throw new ArgumentException($"{name} must be an absolute http or https URL, such as https://storage.example.com.", name);
        }
    }

    /// <summary>Throws for credentials that a header must not contain: a line break in them would start another header.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It contains a character other than the visible ones of ASCII. The message does not show it.</exception>
    public static void ThrowUnlessSendable(string? value, string name)
    {
        if (value is not null && !IsSendable(value.Trim()))
        {
            throw new ArgumentException($"{name} {Unsendable}", name);
        }
    }

    /// <summary>Whether a text has only visible characters of ASCII.</summary>
    public static bool IsSendable(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>What is wrong with credentials that <see cref="IsSendable"/> rejects.</summary>
    public const string Unsendable =
        "contains a space, a line break, another control character or a non-ASCII character, which a header must not contain; set it without them.";

    /// <summary>Throws for a setting that contains a line break or another control character.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It contains one. The message does not show it.</exception>
    public static void ThrowIfControl(string? value, string name)
    {
        if (value is not null && HasControl(value))
        {
            throw new ArgumentException($"{name} {Control}", name);
        }
    }

    /// <summary>Whether a text has a control character within it; white space around it is ignored.</summary>
    public static bool HasControl(string text) => text.Trim().Any(char.IsControl);

    /// <summary>What is wrong with a setting for which <see cref="HasControl"/> is true.</summary>
    public const string Control = "contains a line break or another control character; set it without them.";

    /// <summary>Throws for an empty text, such as that of a variable that is not set: null is the default.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It is empty or white space.</exception>
    public static void ThrowIfBlank(string? value, string name)
    {
        if (value is not null && string.IsNullOrWhiteSpace(value))
        {
            throw new ArgumentException($"{name} is empty; leave it null for the default.", name);
        }
    }
}
