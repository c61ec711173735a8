using TorchSharp;

namespace TrainStory.Training;

/// <summary>
/// Numbers of the formulas. TorchSharp makes an object for each number in one, + of two tensors included (it adds 1 × the second), and the
/// collector may free it while libtorch still reads it. These live on.
/// </summary>
internal static class Scalars
{
    public static readonly Scalar One = 1;

    public static readonly Scalar Temperature = 0.7;
}
