using TorchSharp;

namespace TrainStory.Training;

/// <summary>
/// Numbers in the formulas. TorchSharp creates an object for every number in a formula, even for the + of two tensors (it adds 1 × the
/// second), and the garbage collector may free it while libtorch still reads it. So these objects are kept in fields.
/// </summary>
internal static class Scalars
{
    public static readonly Scalar One = 1;

    public static readonly Scalar Temperature = 0.7;
}
