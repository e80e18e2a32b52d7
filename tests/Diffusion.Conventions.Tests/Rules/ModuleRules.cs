using System.Collections;
using System.Reflection;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>
/// How networks hold their parts. TorchSharp finds modules, parameters and buffers by looking through fields, and names the saved
/// tensors after them: a part that is held in another way is not trained, not moved and not saved, or saved under a chance name.
/// </summary>
internal static class ModuleRules
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> BadParts(IEnumerable<Type> types) =>
        from type in types
        where typeof(nn.Module).IsAssignableFrom(type)
        from field in type.GetFields(Declared)
        let problem = Problem(field)
        where problem is not null
        select $"{type.FullName}.{field.Name}: {problem}";

    private static string? Problem(FieldInfo field)
    {
        if (!IsPart(field.FieldType))
        {
            return Holds(field.FieldType) ? "a collection of parts is not registered; use ModuleList, ModuleDict or ParameterList" : null;
        }

        return field switch
        {
            _ when field.Name.StartsWith('<') => "is the field of a property; hold the part in a field of its own",
            { IsPrivate: false } => "is not private",
            { IsInitOnly: false } => "is not readonly",
            _ when field.GetCustomAttribute<ComponentNameAttribute>()?.Name is not { Length: > 0 } => "has no [ComponentName(Name = ...)]",
            _ => null,
        };
    }

    private static bool IsPart(Type type) => typeof(nn.Module).IsAssignableFrom(type) || typeof(Tensor).IsAssignableFrom(type);

    private static bool Holds(Type type)
    {
        var elements = type.IsArray
            ? [type.GetElementType()!]
            : typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments() : [];
        return elements.Any(element => IsPart(element) || Holds(element));
    }
}
