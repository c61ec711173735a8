using System.Text;

namespace TypedWeights.Json;

/// <summary>Strict UTF-8: what is not valid is an error, never a replacement character (two names could become equal).</summary>
internal static class Utf8Text
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Finds the first byte that does not belong to a well-formed UTF-8 sequence.</summary>
    /// <returns>Its index, or -1 when all of the text is well formed.</returns>
    public static int IndexOfInvalid(ReadOnlySpan<byte> text)
    {
        try
        {
#if TYPEDWEIGHTS_CORE
            _ = Strict.GetCharCount(text);
#else
            _ = Strict.GetCharCount(text.ToArray());
#endif
            return -1;
        }
        catch (DecoderFallbackException e)
        {
            return e.Index;
        }
    }

    /// <summary>Finds the marks that git leaves in a text file that it could not merge.</summary>
    /// <returns>The index of the first mark, or -1.</returns>
    public static int IndexOfMergeConflict(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("<<<<<<<"u8))
        {
            return 0;
        }

        int lineEnd = text.IndexOf("\n<<<<<<<"u8);
        return lineEnd < 0 ? -1 : lineEnd + 1;
    }

    /// <summary>Decodes text that is known to be well formed.</summary>
    public static string Decode(ReadOnlySpan<byte> text)
    {
#if TYPEDWEIGHTS_CORE
        return Strict.GetString(text);
#else
        return text.IsEmpty ? "" : Strict.GetString(text.ToArray());
#endif
    }
}
