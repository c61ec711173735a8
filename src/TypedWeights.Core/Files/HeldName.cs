using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// An open file and the name that it was opened by. Somebody may remove the file and put another in its place meanwhile, which is then
/// neither renamed nor removed.
/// </summary>
internal readonly struct HeldName
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    // Some network file systems give a file another number each time; there, only its kind can be checked.
    private readonly bool _hasNumber;

    public HeldName(SafeFileHandle file, string path)
    {
        _file = file;
        _path = path;
        _hasNumber = OwnFile.HasName(file, path);
    }

    /// <summary>Whether the name is still that of the open file.</summary>
    public bool IsHeld => _hasNumber ? OwnFile.HasName(_file, _path) : OwnFile.IsFile(_path);
}
