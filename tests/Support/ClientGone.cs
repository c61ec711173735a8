using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests;

/// <summary>Lets a test's server notice for certain that a client has gone.</summary>
internal static class ClientGone
{
    /// <summary>
    /// Lets <see cref="HttpContext.RequestAborted"/> be cancelled also by the connection's own end. By itself Kestrel's token may miss it on a
    /// connection that has had a request before: where the client goes just as the next request begins, the token is reset while it is being
    /// cancelled (dotnet/aspnetcore#62385), and a handler that waits for it waits for ever.
    /// </summary>
    public static void Notice(HttpContext context) => context.RequestAborted = CancellationTokenSource.CreateLinkedTokenSource(
        context.RequestAborted,
        context.Features.Get<IConnectionLifetimeFeature>()!.ConnectionClosed).Token;
}
