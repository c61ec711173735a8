using System.Runtime.InteropServices;
using System.Text;
using TypedWeights.Files;
using TypedWeights.Tool;
using TypedWeights.Tool.Running;

// Names may be in any script; without a byte order mark, so that redirected output is plain UTF-8.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

// Sets the console's own writer and not only the tool's: code that draws in a terminal checks whether its writer is the console's.
Console.SetError(new LossyWriter(Console.Error));

// Output may be a file, too.
FileSizeLimit.Heed();

using var stop = new CancellationTokenSource();
int stoppedBy = 0;

// The first Ctrl+C lets the command close its files; the second ends the process at once.
void Stop(PosixSignalContext context)
{
    int code = context.Signal == PosixSignal.SIGTERM ? ExitCodes.Terminated : ExitCodes.Interrupted;
    if (Interlocked.CompareExchange(ref stoppedBy, code, 0) == 0)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

int result = await ToolProgram.RunAsync(args, ToolContext.OfProcess(), stop.Token);
return stoppedBy != 0 && result == ExitCodes.Interrupted ? stoppedBy : result;
