using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using TorchSharp;
using TypedWeights.Native;

namespace TypedWeights;

/// <summary>
/// Makes TorchSharp load on Linux systems whose libstdc++ is older than the one its native library was built with (Debian 12, Ubuntu 22.04 and
/// the like), from a private copy that does not require the newer one. Elsewhere, and if TorchSharp loads without help, nothing changes.
/// </summary>
/// <remarks>
/// This happens automatically when the first type of this library is used. A program that uses TorchSharp before these types must call
/// <see cref="EnsureLoaded"/> first. The environment variable <c>TYPEDWEIGHTS_TORCH_NATIVE=off</c> switches it off.
/// </remarks>
public static class TorchNative
{
    private static readonly Lock Gate = new();

    private static volatile NativeState _state = new(NativeStatus.NotNeeded, "nothing was decided yet");
    private static TorchNativeException? _failure;
    private static volatile bool _isLoaded;

    /// <summary>
    /// What was done, and why, in one line: <c>NotNeeded</c>, <c>SwitchedOff</c>, <c>NoBackend</c>, <c>Patched</c> with the path of the copy, or
    /// <c>Failed</c>, then a colon and the reason. Reading it loads nothing.
    /// </summary>
    public static string State => _state.ToString();

    /// <summary>
    /// Loads TorchSharp with its native library. Safe to call from several threads and several times: after the first success it does nothing, and
    /// after a failure it tries again.
    /// </summary>
    /// <exception cref="TorchNativeException">The native library does not load; the message names the library and says what to do.</exception>
    public static void EnsureLoaded()
    {
        if (_isLoaded)
        {
            return;
        }

        lock (Gate)
        {
            if (_isLoaded)
            {
                return;
            }

            // What failed before may work now: the application may have loaded libtorch from another folder since.
            if (_state.Status is NativeStatus.Failed or NativeStatus.NoBackend)
            {
                Prepare();
            }

            Load();
            _isLoaded = true;
        }
    }

    /// <summary>
    /// Does what <see cref="EnsureLoaded"/> does on a thread of the pool: loading takes some 0.4 s, in which a UI thread would draw nothing.
    /// Every load calls it.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call before loading has started.</param>
    /// <exception cref="TorchNativeException">The native library does not load; the message names the library and says what to do.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task EnsureLoadedAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken)
        : _isLoaded ? Task.CompletedTask
        : Task.Run(EnsureLoaded, cancellationToken);

    /// <summary>
    /// Loads the copy if it is needed, when the first type of this assembly is used. Never throws: <see cref="EnsureLoaded"/> reports the
    /// failure.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "TorchSharp's type initializers load its native library and fail permanently if it cannot be loaded. A library in front of "
            + "TorchSharp has no other moment before them; this one never throws, and does nothing where nothing is needed.")]
    internal static void Prepare()
    {
        lock (Gate)
        {
            _failure = null;
            try
            {
                _state = NativeFix.Apply(new NativeHost());
            }
#pragma warning disable CA1031 // An exception here would be thrown by whatever line happens to use the library first.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _failure = e as TorchNativeException ?? new TorchNativeException(NativeNames.TorchSharp, e.Message, e);
                _state = new(NativeStatus.Failed, e.Message);
            }
        }
    }

    private static void Load()
    {
        if (_failure is { } failure)
        {
            throw new TorchNativeException(failure.Library, failure.Message, failure);
        }

        if (OperatingSystem.IsLinux() && !NativeLoader.TryLoadAsTorchSharpDoes())
        {
            if (_state.LibraryPath is { } copy)
            {
                throw NativeErrors.CopyIgnored(copy);
            }

            NativeLoader.LoadFiles(new NativeHost());
        }

        try
        {
            RuntimeHelpers.RunClassConstructor(typeof(torch).TypeHandle);
        }
        catch (TypeInitializationException e)
        {
            throw OperatingSystem.IsLinux() ? NativeErrors.UsedTooEarly(e) : NativeErrors.DoesNotStart(e);
        }
    }
}
