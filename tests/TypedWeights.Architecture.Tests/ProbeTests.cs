namespace TypedWeights.Architecture.Tests;

public sealed class ProbeTests
{
    [Fact]
    public void Dump()
    {
        var tree = SourceTree.Of(["TYPEDWEIGHTS_CORE"], "src");
        File.WriteAllLines("/tmp/errors.txt", tree.Errors().Select(e => e.ToString()));
        File.WriteAllLines("/tmp/uses.txt", tree.Uses().Select(u => $"{u.File}\t{u.Line}\t{u.UsedFile}\t{u.UsedType}"));
    }
}
