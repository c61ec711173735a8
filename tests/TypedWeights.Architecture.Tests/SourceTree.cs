using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TypedWeights.Architecture.Tests;

/// <summary>Source files, compiled as one, and which of them uses a type of which other.</summary>
internal sealed class SourceTree(CSharpCompilation compilation)
{
    private const string ImplicitUsings =
        "System System.Collections.Generic System.IO System.Linq System.Net.Http System.Threading System.Threading.Tasks";

    /// <summary>Compiles files against the assemblies of this process.</summary>
    /// <param name="files">Each file's path and text.</param>
    /// <param name="symbols">The preprocessor's symbols.</param>
    public static SourceTree Of(IEnumerable<(string Path, string Text)> files, params string[] symbols)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview, preprocessorSymbols: symbols);
        string usings = string.Concat(ImplicitUsings.Split(' ').Select(static name => $"global using global::{name};"));
        IEnumerable<SyntaxTree> trees = files.Append(("", usings))
            .Select(file => CSharpSyntaxTree.ParseText(file.Item2, options, file.Item1, cancellationToken: TestContext.Current.CancellationToken));

        // The products' own assemblies would bring every type a second time.
        IEnumerable<MetadataReference> references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static file => !Path.GetFileName(file).StartsWith("TypedWeights", StringComparison.OrdinalIgnoreCase))
            .Select(static file => MetadataReference.CreateFromFile(file));
        return new(CSharpCompilation.Create("sources", trees, references, new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true)));
    }

    /// <summary>Every place where a file names a type of another, or a member of it.</summary>
    public IEnumerable<SourceUse> Uses() =>
        compilation.SyntaxTrees.Where(static tree => tree.FilePath.Length > 0).AsParallel().AsOrdered().SelectMany(Uses);

    private IEnumerable<SourceUse> Uses(SyntaxTree tree)
    {
        SemanticModel model = compilation.GetSemanticModel(tree);
        foreach (SimpleNameSyntax name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
        {
            ISymbol? symbol = model.GetSymbolInfo(name).Symbol;
            INamedTypeSymbol? type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
            string? declared = type?.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath;
            if (!string.IsNullOrEmpty(declared) && declared != tree.FilePath)
            {
                yield return new(tree.FilePath, name.GetLocation().GetLineSpan().StartLinePosition.Line + 1, declared, type!.Name);
            }
        }
    }
}

/// <summary>One use.</summary>
/// <param name="File">The file that uses the type.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="UsedFile">The file that declares it.</param>
/// <param name="Type">The type's name.</param>
internal sealed record SourceUse(string File, int Line, string UsedFile, string Type);
