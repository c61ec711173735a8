using System.Diagnostics;
using TypedWeights.Tool;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tests.Support;

/// <summary>What a run of the tool printed and returned.</summary>
internal sealed record ToolRun(int ExitCode, string Out, string Error)
{
    /// <summary>Everything that anybody could see.</summary>
    public string All => Out + Error;

    public string[] OutLines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a command line through the tool's own entry, as from a folder, with redirected output.</summary>
    public static Task<ToolRun> InAsync(string folder, params string[] args) => InAsync(folder, Terminal.Redirected, args);

    /// <summary>Runs a command line as in a terminal of the given kind.</summary>
    public static async Task<ToolRun> InAsync(string folder, Terminal terminal, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var context = new ToolContext(output, error, folder, terminal);
        int code = await ToolProgram.RunAsync(args, context, TestContext.Current.CancellationToken);
        return new ToolRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs the real process in a folder.</summary>
    /// <param name="folder">Its current directory.</param>
    /// <param name="started">Is called once it runs.</param>
    /// <param name="args">Its arguments.</param>
    public static Task<ToolRun> ProcessAsync(string folder, Func<Process, Task>? started, params string[] args)
    {
        // A test run in the background inherits SIGINT as ignored, and so would the tool.
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT,TERM", Host] : [Host];
        return ProcessAsync(folder, command, started, args);
    }

    /// <summary>Runs the real process with its output somewhere else, or nowhere; Linux only.</summary>
    /// <param name="folder">Its current directory.</param>
    /// <param name="redirection">What a shell does with its output: <c>2&gt;&amp;-</c>.</param>
    /// <param name="args">Its arguments.</param>
    public static Task<ToolRun> RedirectedAsync(string folder, string redirection, params string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the outputs are those of Linux");
        return ProcessAsync(folder, ["sh", "-c", $"exec \"$@\" {redirection}", "sh", Host], null, args);
    }

    /// <summary>Runs the real process with a variable in its environment; Linux only.</summary>
    /// <param name="folder">Its current directory.</param>
    /// <param name="variable">Name and value: <c>NAME=value</c>.</param>
    /// <param name="args">Its arguments.</param>
    public static Task<ToolRun> WithVariableAsync(string folder, string variable, params string[] args) =>
        ProcessAsync(folder, ["env", variable, Host], null, args);

    /// <summary>
    /// Runs the real process as a user who may do no more than the modes of files say: where the tests run as root, as nobody; Linux only.
    /// </summary>
    /// <param name="folder">Its current directory, which that user can get at.</param>
    /// <param name="args">Its arguments.</param>
    public static Task<ToolRun> UnprivilegedAsync(string folder, params string[] args) => UnprivilegedAsync(folder, [], args);

    /// <inheritdoc cref="UnprivilegedAsync(string, string[])"/>
    /// <param name="variables">Variables of its environment: <c>NAME=value</c>.</param>
    public static Task<ToolRun> UnprivilegedAsync(string folder, string[] variables, string[] args) =>
        UnprivilegedAsync(folder, ["env", .. variables, Host], null, args);

    /// <summary>As <see cref="UnprivilegedAsync(string, string[])"/>, with a umask.</summary>
    /// <param name="folder">Its current directory, which that user can get at.</param>
    /// <param name="umask">The umask in octal digits.</param>
    /// <param name="started">Is called once it runs.</param>
    /// <param name="args">Its arguments.</param>
    public static Task<ToolRun> WithUmaskAsync(string folder, string umask, Func<Process, Task>? started, params string[] args) =>
        UnprivilegedAsync(folder, ["sh", "-c", $"umask {umask}; exec \"$@\"", "sh", Host], started, args);

    /// <summary>Runs the real process under a limit of the system; Linux only.</summary>
    /// <param name="folder">Its current directory.</param>
    /// <param name="limit">What the shell's <c>ulimit</c> takes: <c>-n 128</c>.</param>
    /// <param name="args">Its arguments; <c>&gt;</c> and a name at the end send its output to a file.</param>
    public static Task<ToolRun> LimitedAsync(string folder, string limit, params string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limits are those of Linux");
        string redirection = args is [.., ">", var file] ? $"> {file}" : "";

        // The runtime's own memory for code is a file of gigabytes to the system unless it is told otherwise.
        string command = $"ulimit {limit}; export DOTNET_EnableWriteXorExecute=0; exec \"$@\" {redirection}";
        return ProcessAsync(folder, ["sh", "-c", command, "sh", Host], null, redirection.Length == 0 ? args : args[..^2]);
    }

    /// <summary>Runs the real process in a control group of its own that allows it so much memory; Linux only.</summary>
    /// <param name="folder">Its current directory.</param>
    /// <param name="bytes">The limit.</param>
    /// <param name="args">Its arguments.</param>
    public static async Task<ToolRun> ContainedAsync(string folder, long bytes, params string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "control groups are those of Linux");
        (string mount, string limit) = File.Exists("/sys/fs/cgroup/memory/cgroup.procs")
            ? ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            : ("/sys/fs/cgroup", "memory.max");
        string group = $"{mount}/typedweights-{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(group);
            await File.WriteAllTextAsync(Path.Combine(group, limit), $"{bytes}", TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip("this user may not make a control group with a limit: " + e.Message);
        }

        try
        {
            return await ProcessAsync(folder, ["sh", "-c", $"echo $$ >{group}/cgroup.procs && exec \"$@\"", "sh", Host], null, args);
        }
        finally
        {
            Directory.Delete(group);
        }
    }

    private static async Task<ToolRun> UnprivilegedAsync(string folder, string[] command, Func<Process, Task>? started, string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "users and modes are those of Linux");
        if (Environment.IsPrivilegedProcess)
        {
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent", .. command];
            ToolRun version = await ProcessAsync("/", command, null, ["--version"]);
            Assert.SkipUnless(version.ExitCode == 0, "the user nobody cannot run the tool where it was built: " + version.Error);
        }

        return await ProcessAsync(folder, command, started, args);
    }

    private static string Host => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static async Task<ToolRun> ProcessAsync(string folder, string[] command, Func<Process, Task>? started, string[] args)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
            StandardErrorEncoding = System.Text.Encoding.UTF8,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "TypedWeights.Tool.dll"));
        foreach (string arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await (started?.Invoke(process) ?? Task.CompletedTask);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return new ToolRun(process.ExitCode, await output, await error);
    }
}
