namespace TypedWeights;

/// <summary>What <see cref="TorchNative"/> did about TorchSharp's native part.</summary>
public enum TorchNativeStatus
{
    /// <summary>Nothing: libstdc++ is new enough, TorchSharp does not ask for a newer one, or this is not Linux x64.</summary>
    NotNeeded,

    /// <summary>Nothing, because the environment variable <c>TYPEDWEIGHTS_TORCH_NATIVE</c> is <c>off</c>.</summary>
    SwitchedOff,

    /// <summary>Nothing, because the application has no libtorch, or none that could be found.</summary>
    NoBackend,

    /// <summary>TorchSharp's native part was loaded from a private copy that this system's libstdc++ satisfies.</summary>
    Patched,

    /// <summary>The copy is needed and could not be made or loaded. <see cref="TorchNative.EnsureLoaded"/> says why.</summary>
    Failed,
}
