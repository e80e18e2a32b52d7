using System.Reflection;
using System.Runtime.CompilerServices;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Rules about types, by reflection.</summary>
internal static class TypeRules
{
    public const int MostOptions = 12;

    public static IEnumerable<Type> Public(Assembly assembly) => assembly.GetExportedTypes();

    public static IEnumerable<Type> All(Assembly assembly) =>
        assembly.GetTypes().Where(type => !type.Name.StartsWith('<') && !type.IsDefined(typeof(CompilerGeneratedAttribute), false) && type.DeclaringType?.Name.StartsWith('<') != true);

    /// <summary>Public classes are abstract, sealed or static; options that others derive from may be open.</summary>
    public static IEnumerable<string> NeitherAbstractNorSealed(IEnumerable<Type> types)
    {
        var all = types.ToList();
        return from type in all where type.IsClass && !type.IsAbstract && !type.IsSealed && !IsBaseOfOptions(type, all) select type.FullName;
    }

    /// <summary>A base class of ours derives from none of ours.</summary>
    public static IEnumerable<string> DeepInheritance(IEnumerable<Type> types, Func<Type, bool> ours) =>
        from type in types
        where type.BaseType is { } parent && ours(parent) && parent.BaseType is { } grandparent && ours(grandparent)
        select $"{type.FullName} : {type.BaseType!.Name} : {type.BaseType.BaseType!.Name}";

    public static IEnumerable<string> InOtherNamespace(IEnumerable<Type> types, string expected) =>
        from type in types where type.Namespace != expected select $"{type.FullName} is not in namespace {expected}";

    /// <summary>Options are sealed records, or records that other options derive from, whose few properties are set by an initialiser only.</summary>
    public static IEnumerable<string> BadOptions(IEnumerable<Type> types)
    {
        var all = types.ToList();
        foreach (var type in all.Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && !type.IsInterface))
        {
            if ((!type.IsSealed && !IsBaseOfOptions(type, all)) || !IsRecord(type))
            {
                yield return $"{type.FullName} is not a sealed record";
            }

            var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance);
            if (properties.Length > MostOptions)
            {
                yield return $"{type.FullName} has {properties.Length} properties, more than {MostOptions}";
            }

            foreach (var property in properties.Where(property => property.SetMethod is { IsPublic: true } set && !IsInit(set)))
            {
                yield return $"{type.FullName}.{property.Name} can be set after construction";
            }

            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
            {
                yield return $"{type.FullName}.{field.Name} is a public field";
            }
        }
    }

    private static bool IsBaseOfOptions(Type type, List<Type> all) =>
        IsRecord(type) && type.Name.EndsWith("Options", StringComparison.Ordinal) && all.Exists(other => other.BaseType == type);

    private static bool IsRecord(Type type) => !type.IsValueType && type.GetMethod("<Clone>$") is not null;

    private static bool IsInit(MethodInfo set) => set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
}
