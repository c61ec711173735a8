using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Tests;

/// <summary>
/// Copies of the descriptors that this process has of a file now: every process that is being started has such copies until its program runs.
/// For Linux.
/// </summary>
internal sealed partial class CopiedDescriptors : IDisposable
{
    private readonly SafeFileHandle[] _copies;

    public CopiedDescriptors(string path)
    {
        _copies =
        [
            .. Directory.GetFileSystemEntries("/proc/self/fd")
                .Where(descriptor => new FileInfo(descriptor).LinkTarget == path)
                .Select(descriptor => Duplicate(int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture))),
        ];
        Assert.NotEmpty(_copies);
        Assert.All(_copies, copy => Assert.False(copy.IsInvalid));
    }

    public void Dispose() => Array.ForEach(_copies, copy => copy.Dispose());

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial SafeFileHandle Duplicate(int descriptor);
}
