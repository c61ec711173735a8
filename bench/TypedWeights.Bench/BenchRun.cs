using System.Diagnostics;
using System.Runtime.InteropServices;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;
using TypedWeights.Bench.Http;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench;

/// <summary>Creates the file, starts the servers, measures section by section, and prints the table.</summary>
internal static class BenchRun
{
    public const long PacedRate = 20_000_000;

    private static readonly TimeSpan SectionLimit = TimeSpan.FromMinutes(20);

    public static async Task<int> RunAsync(IReadOnlyList<string> sections, int rounds, string parent)
    {
        var watch = Stopwatch.StartNew();
        using PosixSignalRegistration interrupted = EndsAt(PosixSignal.SIGINT);
        using PosixSignalRegistration terminated = EndsAt(PosixSignal.SIGTERM);
        using var folder = new WorkFolder(parent);
        Machine.Print();
        if (sections.Any(static section => section is not ("tiny" or "micro")))
        {
            await ModelFile.CreateAsync(folder.Path);
        }

        var figures = new List<Figure>();
        foreach (string section in sections)
        {
            Console.WriteLine(Text.Of($"\n== {section} (after {watch.Elapsed.TotalSeconds:F0} s)"));
            IReadOnlyList<Figure> rows = await RunOneAsync(new Measurement(section, rounds, folder.Path, Url: null));
            FigureTable.Print(rows);
            figures.AddRange(rows);
        }

        if (sections.Count > 1)
        {
            Console.WriteLine(Text.Of($"\n== All, after {watch.Elapsed.TotalSeconds:F0} s"));
            Machine.Print();
            FigureTable.Print(figures);
        }

        return figures.Exists(static figure => figure.Ok == false) ? 1 : 0;
    }

    // Without a handler, the runtime ends at once and leaves the servers and 2 GB behind.
    private static PosixSignalRegistration EndsAt(PosixSignal signal) => PosixSignalRegistration.Create(signal, static context =>
    {
        context.Cancel = true;
        Environment.Exit(1);
    });

    // A section that fails becomes a row of the table, and the other sections still run.
    private static async Task<IReadOnlyList<Figure>> RunOneAsync(Measurement measurement)
    {
        try
        {
            return await (measurement.Section switch
            {
                "first" or "http" or "https" or "s3" or "cache" => FromNginxAsync(measurement),
                "paced" => PacedAsync(measurement),
                _ => MeasureAsync(measurement),
            });
        }
        catch (InvalidOperationException e)
        {
            return [new Figure(measurement.Section, "–", e.Message, "", "", false)];
        }
    }

    private static async Task<IReadOnlyList<Figure>> FromNginxAsync(Measurement measurement)
    {
        if (ExternalProgram.Find("nginx") is not { } nginx)
        {
            return [Figure.Skipped(measurement.Section.ToUpperInvariant(), ExternalProgram.Missing("nginx"))];
        }

        (Server server, int port, int tlsPort) = await Nginx.StartAsync(nginx, measurement.Folder);
        using (server)
        {
            string origin = measurement.Section == "https" ? $"https://127.0.0.1:{tlsPort}" : $"http://127.0.0.1:{port}";
            return await MeasureAsync(measurement with { Url = $"{origin}/{ModelFile.Name}" });
        }
    }

    private static async Task<IReadOnlyList<Figure>> PacedAsync(Measurement measurement)
    {
        if (await CProgram.TryCompileAsync("paced", measurement.Folder) is not { } paced)
        {
            return [Figure.Skipped("connections paced to 20 MB/s", "paced.c could not be compiled")];
        }

        int port = Server.FreePort();
        using (await Server.StartAsync(port, paced, measurement.Folder, Text.Of($"{port}"), Text.Of($"{PacedRate}")))
        {
            return await MeasureAsync(measurement with { Url = $"http://127.0.0.1:{port}/{ModelFile.Name}" });
        }
    }

    private static async Task<IReadOnlyList<Figure>> MeasureAsync(Measurement measurement)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, measurement.Arguments());

        // Replaces the system's certificate authorities by the local one, so that clients trust the server without extra code.
        start.Environment["SSL_CERT_FILE"] = Path.Combine(measurement.Folder, LocalAuthority.Certificate);
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1";
        using Process process = Process.Start(start)!;
        void OnExit(object? sender, EventArgs e)
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // The process has already ended.
            }
        }

        AppDomain.CurrentDomain.ProcessExit += OnExit;
        using var limit = new CancellationTokenSource(SectionLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"stopped after {SectionLimit.TotalMinutes:F0} minutes");
        }
        finally
        {
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
        }

        return process.ExitCode == 0
            ? FigureTable.Read(measurement.ResultPath)
            : throw new InvalidOperationException($"the measuring process ended with {process.ExitCode}; its output is above");
    }
}
