using System.Reflection;

namespace Diffusion.Benchmarks;

/// <summary>A key of the configuration.</summary>
/// <param name="Path">Where it stands: <c>training.ema.decay</c>, <c>model.down[].channels</c>.</param>
/// <param name="Property">The option.</param>
/// <param name="Default">The option's value where nothing is given.</param>
internal sealed record OptionKey(string Path, PropertyInfo Property, object? Default)
{
    /// <summary>The type of the value, or of the elements of a list.</summary>
    public Type Type => Element ?? Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;

    public bool IsList => Element is not null;

    /// <summary>Whether the value, or each element, has keys of its own.</summary>
    public bool HasKeys => Type != typeof(string) && !Type.IsPrimitive && !Type.IsEnum;

    private Type? Element =>
        Property.PropertyType is { IsGenericType: true } list && list.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? list.GetGenericArguments()[0] : null;
}
