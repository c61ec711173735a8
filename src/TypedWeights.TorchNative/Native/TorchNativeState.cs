namespace TypedWeights;

/// <summary>What <see cref="TorchNative"/> did about TorchSharp's native part, and why.</summary>
public sealed class TorchNativeState
{
    internal TorchNativeState(TorchNativeStatus status, string reason, string? libraryPath = null)
    {
        Status = status;
        Reason = reason;
        LibraryPath = libraryPath;
    }

    /// <summary>What was done.</summary>
    public TorchNativeStatus Status { get; }

    /// <summary>Why, in one sentence for people.</summary>
    public string Reason { get; }

    /// <summary>The private copy that was loaded; null unless <see cref="Status"/> is <see cref="TorchNativeStatus.Patched"/>.</summary>
    public string? LibraryPath { get; }

    /// <summary>The status, the copy's path if there is one, and the reason.</summary>
    public override string ToString() =>
        LibraryPath is null ? $"{Status}: {Reason}" : $"{Status} {LibraryPath}: {Reason}";
}
