using System.Buffers;
using System.Globalization;
using System.Text;
using TypedWeights.Errors;

namespace TypedWeights.Saving;

/// <summary>
/// JSON exactly as the reference writes it (serde_json's compact form), so that a file written here is the file it would write: no
/// spaces, short escapes where JSON has them, <c>\u00xx</c> for other control characters, everything else as it is.
/// </summary>
internal static class HeaderText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">The text holds half of a surrogate pair.</exception>
    public static byte[] Encode(string text, string what, string parameter)
    {
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"{what}, {Printable.Name(text)}, contains half of a surrogate pair, which UTF-8 cannot encode.", parameter, e);
        }
    }

    public static void WriteRaw(IBufferWriter<byte> json, string ascii) => Encoding.ASCII.GetBytes(ascii, json);

    public static void WriteNumbers(IBufferWriter<byte> json, IEnumerable<ulong> numbers) =>
        WriteRaw(json, "[" + string.Join(',', numbers.Select(static number => number.ToString(CultureInfo.InvariantCulture))) + "]");

    public static void WriteString(IBufferWriter<byte> json, ReadOnlySpan<byte> utf8)
    {
        json.Write("\""u8);
        while (IndexOfEscaped(utf8) is >= 0 and int index)
        {
            json.Write(utf8[..index]);
            WriteRaw(json, Escape(utf8[index]));
            utf8 = utf8[(index + 1)..];
        }

        json.Write(utf8);
        json.Write("\""u8);
    }

    private static int IndexOfEscaped(ReadOnlySpan<byte> utf8)
    {
        int control = utf8.IndexOfAnyInRange((byte)0, (byte)0x1F);
        int quote = (control < 0 ? utf8 : utf8[..control]).IndexOfAny((byte)'"', (byte)'\\');
        return quote < 0 ? control : quote;
    }

    private static string Escape(byte value) => value switch
    {
        (byte)'"' => "\\\"",
        (byte)'\\' => "\\\\",
        (byte)'\b' => "\\b",
        (byte)'\f' => "\\f",
        (byte)'\n' => "\\n",
        (byte)'\r' => "\\r",
        (byte)'\t' => "\\t",
        _ => "\\u00" + value.ToString("x2", CultureInfo.InvariantCulture),
    };
}
