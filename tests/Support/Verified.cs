using System.Runtime.CompilerServices;

namespace TypedWeights.Tests;

/// <summary>
/// Holds text against <c>Class.Method.verified.*</c> beside the test, with Verify's names and habits: a missing or differing file fails
/// and leaves <c>.received.</c>. Where Verify's packages restore, <c>-p:UseVerify=true</c> lets it take over.
/// </summary>
internal static class Verified
{
    public static void Verify(
        string text, string extension, [CallerFilePath] string testFile = "", [CallerMemberName] string method = "")
    {
#if USE_VERIFY
        Verifier.Verify(text, extension, sourceFile: testFile).UseMethodName(method).ToTask().GetAwaiter().GetResult();
#else
        string test = Path.ChangeExtension(testFile, method);
        string verified = $"{test}.verified.{extension}";
        string received = $"{test}.received.{extension}";
        string expected = File.Exists(verified) ? File.ReadAllText(verified).ReplaceLineEndings("\n") : "";
        if (File.Exists(verified) && expected.TrimEnd('\n') == text.TrimEnd('\n'))
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        Assert.Fail(File.Exists(verified)
            ? $"{received} differs from {Path.GetFileName(verified)}; look at both, and move the first over the second if it is right."
            : $"There is no {Path.GetFileName(verified)}; look at {received} and rename it if it is right.");
#endif
    }
}
