using System.ComponentModel;

namespace TypedWeights.Binding;

/// <summary>What the classes of a generated tree have in common.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class WeightGroup
{
    private readonly WeightScope _scope;

    /// <summary>Makes the group of a scope.</summary>
    /// <param name="scope">The names below it.</param>
    protected WeightGroup(WeightScope scope) => _scope = scope;

    /// <summary>
    /// Waits until every tensor of this group can be read: after <c>BeginLoadAsync</c>, whose model is there before its tensors. After
    /// <c>LoadAsync</c> they all can.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed before all of them had come; every wait ends with the same error.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public Task WhenReadyAsync(CancellationToken cancellationToken = default) => _scope.WhenReadyAsync(cancellationToken);
}
