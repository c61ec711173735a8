using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using System.Runtime.CompilerServices;

namespace TypedWeights.Architecture.Tests;

/// <summary>The source files of some projects, compiled as one, and which of them uses which.</summary>
internal sealed class SourceTree
{
    private readonly CSharpCompilation _compilation;
    private readonly string _root;

    private SourceTree(CSharpCompilation compilation, string root) => (_compilation, _root) = (compilation, root);

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(ThisFolder(), "../.."));

    /// <summary>Compiles every C# file below these folders of the repository.</summary>
    public static SourceTree Of(string[] symbols, params string[] folders)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview, preprocessorSymbols: symbols);
        var usings = "System System.Collections.Generic System.IO System.Linq System.Net.Http System.Threading System.Threading.Tasks"
            .Split(' ').Select(name => $"global using global::{name};");
        var trees = folders
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file))
            .Append(CSharpSyntaxTree.ParseText(string.Concat(usings), options));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => !Path.GetFileName(file).StartsWith("TypedWeights", StringComparison.OrdinalIgnoreCase))
            .Select(file => MetadataReference.CreateFromFile(file));
        return new(CSharpCompilation.Create("sources", trees, references, new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true)), Root);
    }

    /// <summary>Each use of a type of another file.</summary>
    public IEnumerable<SourceUse> Uses() => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0).SelectMany(Uses);

    public IEnumerable<Diagnostic> Errors() => _compilation.GetDiagnostics().Where(item => item.Severity == DiagnosticSeverity.Error);

    private IEnumerable<SourceUse> Uses(SyntaxTree tree)
    {
        SemanticModel model = _compilation.GetSemanticModel(tree);
        foreach (SimpleNameSyntax name in tree.GetRoot().DescendantNodes(descendIntoTrivia: false).OfType<SimpleNameSyntax>())
        {
            ISymbol? symbol = model.GetSymbolInfo(name).Symbol;
            INamedTypeSymbol? type = (symbol as INamedTypeSymbol ?? symbol?.ContainingType)?.OriginalDefinition;
            string? declared = type?.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath;
            if (!string.IsNullOrEmpty(declared) && declared != tree.FilePath)
            {
                int line = name.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
                yield return new(Relative(tree.FilePath), line, Relative(declared), type!.Name);
            }
        }
    }

    private string Relative(string file) => Path.GetRelativePath(_root, file).Replace('\\', '/');

    private static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}

internal sealed record SourceUse(string File, int Line, string UsedFile, string UsedType);
