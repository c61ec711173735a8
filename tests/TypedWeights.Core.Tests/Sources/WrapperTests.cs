using System.Reflection;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Sources;

/// <summary>An interface of a store has defaults for its authors. A wrapper that used one would hide what the wrapped object says.</summary>
public sealed class WrapperTests
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    public static TheoryData<Type, Type> Wrappers => [.. from type in typeof(IWeightSource).Assembly.GetTypes()
        from contract in new[] { typeof(IWeightSource), typeof(IWeightLocation) }
        where type is { IsClass: true, IsAbstract: false } && contract.IsAssignableFrom(type) && Wraps(type, contract)
        select new TheoryDataRow<Type, Type>(type, contract)];

    [Fact]
    public void The_wrapper_classes_are_found_by_reflection() => Assert.Contains(Wrappers, row => row.Data.Item1.Name == "CachedSource");

    [Theory]
    [MemberData(nameof(Wrappers))]
    public void A_wrapper_implements_every_member_that_has_a_default_in_the_interface(Type wrapper, Type contract)
    {
        InterfaceMapping map = wrapper.GetInterfaceMap(contract);
        Assert.Empty(map.TargetMethods.Where(static method => method.DeclaringType!.IsInterface).Select(static method => method.Name));
    }

    private static bool Wraps(Type type, Type contract)
    {
        for (Type? of = type; of is not null; of = of.BaseType)
        {
            if (of.GetFields(Fields).Any(field => contract.IsAssignableFrom(field.FieldType)))
            {
                return true;
            }
        }

        return false;
    }
}
