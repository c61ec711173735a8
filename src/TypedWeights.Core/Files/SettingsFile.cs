namespace TypedWeights.Files;

/// <summary>Files of settings that somebody else reads: an SDK, the runtime. Those wait for a pipe until somebody writes to it.</summary>
internal static class SettingsFile
{
    /// <summary>Says why such a file must not be read.</summary>
    /// <param name="path">The file.</param>
    /// <returns>
    /// A sentence without its full stop; null for a regular file, for none, and for the null device, which many name to have no settings.
    /// </returns>
    public static string? Refuse(string path)
    {
        try
        {
            if (path != "/dev/null")
            {
                SmallFile.Open(path).Dispose();
            }

            return null;
        }
        catch (RefusedFileException e)
        {
            return e.Reason;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Whoever reads it says so.
            return null;
        }
    }
}
