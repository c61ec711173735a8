namespace TypedWeights.Sources.File;

/// <summary>The path that a plain path or a <c>file:</c> URI means.</summary>
internal static class FilePath
{
    /// <exception cref="WeightSourceException">The URI names another machine or is not absolute.</exception>
    public static string Of(WeightUri uri)
    {
        if (uri.IsPath)
        {
            return uri.Original;
        }

        // The canonical text holds all of a file URI that counts, and no query.
        const string LocalHost = "file://localhost/";
        bool isLocal = uri.Display.StartsWith(LocalHost, StringComparison.OrdinalIgnoreCase);
        string text = isLocal ? "file:///" + uri.Display[LocalHost.Length..] : uri.Display;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || !address.IsFile)
        {
            throw new WeightSourceException(uri.Display, "this is not a valid file URI; write file:///folder/model.safetensors.");
        }

        // On Windows another machine is a UNC path; elsewhere its files are not reachable by name.
        return address.Host.Length == 0 || OperatingSystem.IsWindows()
            ? address.LocalPath
            : throw new WeightSourceException(
                uri.Display, "a file URI names a file of this machine; write three slashes: file:///folder/model.safetensors.");
    }
}
