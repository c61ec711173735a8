using System.Runtime.CompilerServices;
using TorchSharp;
using TypedWeights.Native;

namespace TypedWeights;

/// <summary>
/// Makes TorchSharp load on Linux systems whose libstdc++ is older than the one its native part was built with (Debian 12, Ubuntu 22.04 and
/// the like), from a private copy that does not ask for the newer one. Elsewhere, and where TorchSharp loads by itself, nothing is touched.
/// </summary>
/// <remarks>
/// This happens by itself when the first type of this library is used. A program that uses TorchSharp before any of these types calls
/// <see cref="EnsureLoaded"/> first. The environment variable <c>TYPEDWEIGHTS_TORCH_NATIVE=off</c> switches it off.
/// </remarks>
public static class TorchNative
{
    private static readonly Lock Gate = new();

    private static volatile TorchNativeState _state = new(TorchNativeStatus.NotNeeded, "nothing has been decided yet");
    private static TorchNativeException? _failure;
    private static volatile bool _isLoaded;

    /// <summary>What was done, and why. Asking loads nothing.</summary>
    public static TorchNativeState State => _state;

    /// <summary>
    /// Loads TorchSharp with its native part. Safe to call from several threads, and again and again: after the first success it does
    /// nothing, and after a failure it tries anew.
    /// </summary>
    /// <exception cref="TorchNativeException">The native part does not load; the message names the library and says what to do.</exception>
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

            // What failed before may work now: the application may have loaded libtorch from a place of its own since.
            if (_state.Status is TorchNativeStatus.Failed or TorchNativeStatus.NoBackend)
            {
                Prepare();
            }

            Load();
            _isLoaded = true;
        }
    }

    /// <summary>
    /// Does what <see cref="EnsureLoaded"/> does on a thread of the pool: loading takes some 0.4 s, in which a UI thread would draw nothing.
    /// Loads do the same by themselves.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, where it has not begun.</param>
    /// <exception cref="TorchNativeException">The native part does not load; the message names the library and says what to do.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task EnsureLoadedAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken)
        : _isLoaded ? Task.CompletedTask
        : Task.Run(EnsureLoaded, cancellationToken);

    /// <summary>Puts the copy in place where it is needed. Never throws: the failure waits for <see cref="EnsureLoaded"/>.</summary>
    internal static void Prepare()
    {
        lock (Gate)
        {
            _failure = null;
            try
            {
                _state = NativeFix.Apply(NativeHost.Current);
            }
#pragma warning disable CA1031 // An exception here would be thrown by whatever line happens to use the library first.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _failure = e as TorchNativeException ?? new TorchNativeException(NativeNames.TorchSharp, e.Message, e);
                _state = new(TorchNativeStatus.Failed, e.Message);
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

            NativeLoader.LoadFiles(NativeHost.Current);
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
