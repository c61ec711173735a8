using System.Diagnostics;
using System.Net.Sockets;

namespace TypedWeights.Tests;

/// <summary>Puts something else where a file is expected, as another user of a shared folder could. Not for Windows.</summary>
internal static class OddFile
{
    public const string Link = "a link to a file";
    public const string DanglingLink = "a link to nothing";
    public const string LinkToFolder = "a link to a folder";
    public const string LinkToItself = "a link to itself";
    public const string LinkToDevice = "a link to /dev/zero";
    public const string HardLink = "a hard link";
    public const string Pipe = "a pipe";
    public const string Socket = "a socket";
    public const string Folder = "a folder";

    /// <summary>Everything that can be made without being root.</summary>
    public static TheoryData<string> Kinds =>
        [Link, DanglingLink, LinkToFolder, LinkToItself, LinkToDevice, HardLink, Pipe, Socket, Folder];

    /// <summary>Makes one.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="path">The name that it has.</param>
    /// <param name="victim">A file that a link leads to; one that leads to nothing has <c>.absent</c> after the same path.</param>
    public static void Make(string kind, string path, string victim)
    {
        switch (kind)
        {
            case Link:
                File.CreateSymbolicLink(path, victim);
                break;
            case DanglingLink:
                File.CreateSymbolicLink(path, victim + ".absent");
                break;
            case LinkToFolder:
                File.CreateSymbolicLink(path, Path.GetDirectoryName(victim)!);
                break;
            case LinkToItself:
                File.CreateSymbolicLink(path, path);
                break;
            case LinkToDevice:
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            case HardLink:
                Run("ln", victim, path);
                break;
            case Pipe:
                Run("mkfifo", path);
                break;
            case Socket:
                // The name stays when the socket is closed; by way of the folder, as such a name is short.
                string before = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
                using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                {
                    socket.Bind(new UnixDomainSocketEndPoint(before));
                    File.Move(before, path);
                }

                File.Delete(before);
                break;
            default:
                Directory.CreateDirectory(path);
                break;
        }
    }

    /// <summary>Puts a file of the user nobody there, as root can.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">Its permissions, as <c>chmod</c> takes them.</param>
    public static void OfAnotherUser(string path, string mode)
    {
        File.WriteAllText(path, "another's");
        Run("chmod", mode, path);
        Run("chown", "65534:65534", path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
