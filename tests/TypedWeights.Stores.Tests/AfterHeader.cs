namespace TypedWeights.Tests.Stores;

/// <summary>Does something in the middle of a load: after its header has come, and before its payload is asked for.</summary>
internal static class AfterHeader
{
    /// <summary>Options of a load of all tensors whose filter, which is asked at that moment, calls an action once.</summary>
    public static TensorLoadOptions Call(Action? action)
    {
        bool isCalled = false;
        return new()
        {
            Filter = _ =>
            {
                if (!isCalled)
                {
                    isCalled = true;
                    action?.Invoke();
                }

                return true;
            },
        };
    }
}
