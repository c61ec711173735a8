using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace TypedWeights.Generators.Tests;

/// <summary>A user's project after the generator has run.</summary>
internal sealed record GeneratedProject(
    CSharpCompilation Compilation, ImmutableArray<Diagnostic> Diagnostics, GeneratorDriverRunResult Result)
{
    /// <summary>The one generated file.</summary>
    public string Source => Assert.Single(Result.GeneratedTrees).ToString();

    public void AssertCompiles()
    {
        // The text must mean what the tree does: it is parsed again, as a user's own copy of it would be.
        CSharpCompilation again = Compilation;
        foreach (SyntaxTree tree in Result.GeneratedTrees)
        {
            again = again.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(tree.ToString(), Project.ParseOptions, tree.FilePath));
        }

        Assert.Empty(again.GetDiagnostics().Where(IsSeen).Take(5).Select(diagnostic => diagnostic.ToString()));
    }

    /// <summary>Compiles to an assembly and loads it.</summary>
    public Assembly Load()
    {
        using var image = new MemoryStream();
        Assert.Empty(Compilation.Emit(image).Diagnostics.Where(IsSeen).Select(diagnostic => diagnostic.ToString()));
        image.Position = 0;
        return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(image);
    }

    private static bool IsSeen(Diagnostic diagnostic) => diagnostic.Severity >= DiagnosticSeverity.Warning;
}
