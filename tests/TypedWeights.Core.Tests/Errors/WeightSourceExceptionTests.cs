using System.Reflection;

namespace TypedWeights.Tests.Errors;

public sealed class WeightSourceExceptionTests
{
    private static readonly PropertyInfo[] Own = [.. typeof(WeightSourceException)
        .GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Where(static property => property.Name != "Said")];

    [Fact]
    public void An_error_in_other_words_keeps_everything_else_that_it_says()
    {
        var error = new WeightSourceException("s3://bucket/key", "busy.") { RetryAfter = TimeSpan.FromSeconds(3) };
        PropertyInfo[] flags = [.. Own.Where(property => property.PropertyType == typeof(bool))];
        Assert.Equal(7, flags.Length);
        foreach (PropertyInfo flag in flags)
        {
            flag.SetValue(error, true);
        }

        WeightSourceException same = error.Rephrased("wait.", cause: error);
        WeightSourceException renamed = error.Rephrased("wait.", cause: null, "models://story");

        Assert.Equal(("s3://bucket/key: wait.", "wait.", error), (same.Message, same.Said, same.InnerException));
        Assert.Equal("models://story: wait.", renamed.Message);
        Assert.All(Own, property => Assert.Equal(property.GetValue(error), property.GetValue(same)));
    }

    [Fact]
    public void The_name_of_its_source_does_not_hide_the_source_of_an_exception()
    {
        var error = Assert.Throws<WeightSourceException>(static () => Throw());

        Assert.Equal("m.safetensors", error.SourceName);
        Assert.Equal(typeof(WeightSourceExceptionTests).Assembly.GetName().Name, error.Source);
    }

    private static void Throw() => throw new WeightSourceException("m.safetensors", "it is gone.");
}
