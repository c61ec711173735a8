using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Emit;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Parsing;
using TypedWeights.Generators.Tree;

namespace TypedWeights.Generators;

/// <summary>
/// Writes the members of a class with <c>[SafeTensorsModel]</c> from the snapshot of its source, and registers the stores of referenced
/// packages. Source is written from models alone;
/// diagnostics, which need live locations, have outputs of their own.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class SafeTensorsModelGenerator : IIncrementalGenerator
{
    private const string AttributeName = "TypedWeights.SafeTensorsModelAttribute";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ClassCandidate> candidates = context.SyntaxProvider
            .ForAttributeWithMetadataName(AttributeName, static (node, _) => node is TypeDeclarationSyntax, ClassParser.Parse)
            .Where(static candidate => candidate is not null)!;
        IncrementalValuesProvider<ClassSpec> classes = candidates
            .Where(static candidate => candidate.Spec is not null)
            .Select(static (candidate, _) => candidate.Spec!)
            .WithTrackingName(StepNames.Classes);
        IncrementalValueProvider<EquatableArray<ProviderSpec>> providers = context.CompilationProvider
            .Select(ProviderFinder.Find)
            .WithTrackingName(StepNames.Providers);
        context.RegisterSourceOutput(providers, AddProviders);
        context.RegisterSourceOutput(candidates.Combine(providers), ReportProvider);
        IncrementalValuesProvider<SnapshotSpec> snapshots = context.AdditionalTextsProvider
            .Where(SnapshotParser.IsSnapshot)
            .Select(SnapshotParser.Parse)
            .WithTrackingName(StepNames.Snapshots);
        IncrementalValueProvider<ImmutableArray<SnapshotSpec>> all = snapshots.Collect();

        // Narrowed at once to the class's own snapshot, so that another snapshot's change goes no further.
        IncrementalValuesProvider<ModelResult> models = classes
            .Combine(all)
            .Select(static (pair, _) => SnapshotMatcher.Match(pair.Left, pair.Right))
            .WithTrackingName(StepNames.Matches)
            .Where(static match => match is not null)
            .Select(static (match, cancellationToken) => ModelResult.Of(match!, cancellationToken))
            .WithTrackingName(StepNames.Models);
        context.RegisterSourceOutput(models, AddSource);

        context.RegisterSourceOutput(
            snapshots.Where(static snapshot => snapshot.Problem is not null),
            static (output, snapshot) => output.ReportDiagnostic(
                Problem.Of(Descriptors.UnreadableSnapshot, snapshot.Problem!.Message)
                    .At(SnapshotParser.Location(snapshot, snapshot.Problem))));
        context.RegisterSourceOutput(candidates.Combine(all), ReportCandidate);
        IncrementalValueProvider<ImmutableArray<ModelProblems>> names = models
            .Where(static model => model.Problems.Count > 0)
            .Select(static (model, _) => new ModelProblems(model.HintName, model.Problems))
            .Collect();
        context.RegisterSourceOutput(candidates.Combine(names), ReportNames);
    }

    // A project without a class loads tensors by name, and needs the stores too.
    private static void AddProviders(SourceProductionContext output, EquatableArray<ProviderSpec> providers)
    {
        if (providers.Count > 0)
        {
            output.AddSource(ProvidersEmitter.HintName, SourceText.From(ProvidersEmitter.Emit(providers), Encoding.UTF8));
        }
    }

    private static void ReportProvider(
        SourceProductionContext output, (ClassCandidate Candidate, EquatableArray<ProviderSpec> Providers) pair)
    {
        if (pair.Candidate.Spec is { } spec && ProviderCheck.Explain(spec, pair.Providers) is { } missing)
        {
            output.ReportDiagnostic(missing.At(pair.Candidate.Location));
        }
    }

    private static void AddSource(SourceProductionContext output, ModelResult model)
    {
        if (model.Spec is null)
        {
            return;
        }

        try
        {
            output.AddSource(model.HintName, SourceText.From(ModelEmitter.Emit(model.Spec, output.CancellationToken), Encoding.UTF8));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            output.ReportDiagnostic(ModelResult.Failure(model.Spec.Class, e).At(Location.None));
        }
    }

    private static void ReportCandidate(
        SourceProductionContext output, (ClassCandidate Candidate, ImmutableArray<SnapshotSpec> Snapshots) pair)
    {
        foreach (Problem problem in pair.Candidate.Problems)
        {
            output.ReportDiagnostic(problem.At(pair.Candidate.Location));
        }

        if (pair.Candidate.Spec is { } spec && SnapshotMatcher.Explain(spec, pair.Snapshots) is { } missing)
        {
            output.ReportDiagnostic(missing.At(pair.Candidate.Location));
        }
    }

    private static void ReportNames(
        SourceProductionContext output, (ClassCandidate Candidate, ImmutableArray<ModelProblems> Models) pair)
    {
        foreach (ModelProblems model in pair.Models.Where(model => model.HintName == pair.Candidate.Spec?.HintName))
        {
            foreach (Problem problem in model.Problems)
            {
                output.ReportDiagnostic(problem.At(pair.Candidate.Of(problem)));
            }
        }
    }

    private sealed record ModelProblems(string HintName, EquatableArray<Problem> Problems);
}
