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

        if (!Uri.TryCreate(uri.Original, UriKind.Absolute, out Uri? address) || !address.IsFile)
        {
            throw new WeightSourceException(uri.Display, "this is not a valid file URI; write file:///folder/model.safetensors.");
        }

        // On Windows another machine is a UNC path; elsewhere its files are not reachable by name.
        if (address.Host.Length > 0 && address.Host != "localhost" && !OperatingSystem.IsWindows())
        {
            throw new WeightSourceException(
                uri.Display, "a file URI names a file of this machine; write three slashes: file:///folder/model.safetensors.");
        }

        // LocalPath would leave localhost in the path, and AbsolutePath has the escapes that LocalPath decodes.
        return address.Host == "localhost" ? Uri.UnescapeDataString(address.AbsolutePath) : address.LocalPath;
    }
}
