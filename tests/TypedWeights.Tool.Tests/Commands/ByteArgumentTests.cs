using System.CommandLine;
using TypedWeights.Tool.Arguments;

namespace TypedWeights.Tests.Commands;

public sealed class ByteArgumentTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("8388608", 8_388_608)]
    [InlineData("8388608B", 8_388_608)]
    [InlineData("8MiB", 8_388_608)]
    [InlineData("8mib", 8_388_608)]
    [InlineData("8 MB", 8_000_000)]
    [InlineData("64KiB", 65_536)]
    [InlineData("64kB", 64_000)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData("2TB", 2_000_000_000_000)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void A_size_is_a_number_with_or_without_a_unit(string text, long bytes)
    {
        Assert.True(ByteArgument.TryParse(text, out long found), text);
        Assert.Equal(bytes, found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("8M")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("0.5")]
    [InlineData("1,5GB")]
    [InlineData("1e6")]
    [InlineData("0x10")]
    [InlineData("8MiBB")]
    [InlineData("9223372036854775808")]
    [InlineData("9000000000TiB")]
    [InlineData("99999999999999999999999999999999")]
    public void Text_that_is_not_a_size_is_refused(string text) => Assert.False(ByteArgument.TryParse(text, out _), text);

    [Theory]
    [InlineData("1MiB", null)]
    [InlineData("8M", "--part: \"8M\" is not a size; write bytes, or a unit as in 64KiB, 8MiB, 1GB.")]
    [InlineData("1", "--part must be from 1024 to 2000000 bytes, but is 1.")]
    [InlineData("2MiB", "--part must be from 1024 to 2000000 bytes, but is 2097152.")]
    public void The_error_of_a_size_option_names_the_allowed_sizes(string text, string? error)
    {
        Option<long?> part = ByteArgument.Option("--part", "", 1024, 2_000_000);

        ParseResult parsed = new Command("test") { part }.Parse(["--part", text]);

        Assert.Equal(error, parsed.Errors.SingleOrDefault()?.Message);
        Assert.True(error is not null || parsed.GetValue(part) == 1_048_576);
    }
}
