namespace TypedWeights.Errors;

/// <summary>The checks of option values that .NET has no method for. The packages of the stores compile this file too.</summary>
internal static class OptionValue
{
    /// <summary>Refuses a number that was cast to an enum and is none of its values.</summary>
    /// <param name="value">The option's value.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentOutOfRangeException">The enum has no such value.</exception>
    public static void ThrowUnlessDefined<T>(T value, string name)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is no value of {typeof(T).Name}.");
        }
    }

    /// <summary>Refuses an address that no request can go to.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It is no absolute http or https URL.</exception>
    public static void ThrowUnlessHttp(Uri? value, string name)
    {
        if (value is not null && !(value.IsAbsoluteUri && value.Scheme is "http" or "https"))
        {
            throw new ArgumentException($"{name} must be an absolute http or https URL, such as https://storage.example.com.", name);
        }
    }

    /// <summary>Refuses a login that no header may have: a line break in it would begin another header.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It has other characters than the visible ones of ASCII. The message does not show it.</exception>
    public static void ThrowUnlessSendable(string? value, string name)
    {
        if (value is not null && !IsSendable(value.Trim()))
        {
            throw new ArgumentException($"{name} {Unsendable}", name);
        }
    }

    /// <summary>Whether a text has only visible characters of ASCII.</summary>
    public static bool IsSendable(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>What is wrong with a login that <see cref="IsSendable"/> refuses.</summary>
    public const string Unsendable =
        "has a space, a line break, another control character or a letter beyond ASCII in it, which no header may have; set it again without.";

    /// <summary>Refuses a setting with a line break or another control character in it.</summary>
    /// <param name="value">The option's value; null where it is not set.</param>
    /// <param name="name">The option's name.</param>
    /// <exception cref="ArgumentException">It has one. The message does not show it.</exception>
    public static void ThrowIfControl(string? value, string name)
    {
        if (value is not null && HasControl(value))
        {
            throw new ArgumentException($"{name} {Control}", name);
        }
    }

    /// <summary>Whether a text has a control character within it; what stands around it is trimmed.</summary>
    public static bool HasControl(string text) => text.Trim().Any(char.IsControl);

    /// <summary>What is wrong with a setting of which <see cref="HasControl"/> says so.</summary>
    public const string Control = "has a line break or another control character in it; set it again without.";

    /// <summary>Refuses an empty text, as of a variable that is not set: null stands for the default.</summary>
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
