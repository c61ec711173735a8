namespace TypedWeights.Tool.Running;

/// <summary>What the process returns. Scripts depend on these: they are listed in docs/tool.md.</summary>
internal static class ExitCodes
{
    /// <summary>Done, and all is well.</summary>
    public const int Success = 0;

    /// <summary>A file is not what it should be: drift, an invalid checkpoint, an unreadable snapshot.</summary>
    public const int Failed = 1;

    /// <summary>A source could not be reached or read, so nothing is known about it.</summary>
    public const int Unreachable = 2;

    /// <summary>The command line is wrong (EX_USAGE).</summary>
    public const int Usage = 64;

    /// <summary>A defect of the tool (EX_SOFTWARE).</summary>
    public const int Defect = 70;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by a request of the system: 128 + SIGTERM.</summary>
    public const int Terminated = 143;
}
