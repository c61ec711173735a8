using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Tests.Output;

public sealed class LossyWriterTests
{
    public static TheoryData<Exception, bool> Exceptions => new()
    {
        { new IOException("No space left on device"), true },
        { new UnauthorizedAccessException("closed", new IOException("Bad file descriptor", 9)), true },
        { new FileNotFoundException("Could not load file or assembly"), false },
        { new FileLoadException("Could not load file or assembly"), false },
        { new BadImageFormatException("Could not load file or assembly"), false },
        { new InvalidOperationException("a defect"), false },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void A_failed_write_is_distinguished_from_a_failed_assembly_load(Exception exception, bool isFailure) =>
        Assert.Equal(isFailure, LossyWriter.IsFailure(exception));
}
