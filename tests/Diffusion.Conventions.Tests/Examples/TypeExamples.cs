using System.Xml.Linq;
using Diffusion.Conventions.Tests.Rules;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

// Each of these breaks a convention on purpose, which analysers see too: unused or unassigned fields, constant-looking members.
#pragma warning disable CS0169, CS0649, CA1051, CA1823, CA2213, IDE0044, IDE0051, CS0414, CA1852

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of each rule about types that it finds an offender and leaves a good type alone.</summary>
public sealed class TypeExamples
{
    [Fact]
    public void NeitherAbstractNorSealed_OpenClass_IsFound() => Assert.Equal(
        [typeof(Open).FullName],
        TypeRules.NeitherAbstractNorSealed([typeof(Open), typeof(BaseOptions), typeof(DerivedOptions), typeof(Parent), typeof(Child), typeof(TypeRules), typeof(ImageShape), typeof(IDisposable)]));

    [Fact]
    public void DeepInheritance_Grandchild_IsFound()
    {
        var deep = TypeRules.DeepInheritance([typeof(Parent), typeof(Child), typeof(Grandchild)], type => type.Assembly == typeof(Parent).Assembly);
        Assert.EndsWith("Grandchild : Open : Parent", Assert.Single(deep), StringComparison.Ordinal);
    }

    [Fact]
    public void InOtherNamespace_TypeElsewhere_IsFound() =>
        Assert.StartsWith("Diffusion.ImageShape", Assert.Single(TypeRules.InOtherNamespace([typeof(ImageShape)], "Diffusion.Data")), StringComparison.Ordinal);

    [Fact]
    public void BadOptions_EachFault_IsFound()
    {
        Assert.Empty(TypeRules.BadOptions([typeof(GoodOptions), typeof(Open), typeof(BaseOptions), typeof(DerivedOptions)]));
        Assert.Contains(TypeRules.BadOptions([typeof(BaseOptions)]), o => o.EndsWith("is not a sealed record", StringComparison.Ordinal));
        Assert.Contains(TypeRules.BadOptions([typeof(ClassOptions)]), o => o.EndsWith("is not a sealed record", StringComparison.Ordinal));
        Assert.Contains(TypeRules.BadOptions([typeof(OpenOptions)]), o => o.EndsWith("is not a sealed record", StringComparison.Ordinal));
        Assert.Contains(TypeRules.BadOptions([typeof(SettableOptions)]), o => o.EndsWith("Steps can be set after construction", StringComparison.Ordinal));
        Assert.Contains(TypeRules.BadOptions([typeof(FieldOptions)]), o => o.EndsWith("Steps is a public field", StringComparison.Ordinal));
        Assert.Contains(TypeRules.BadOptions([typeof(ManyOptions)]), o => o.EndsWith("has 13 properties, more than 12", StringComparison.Ordinal));
    }

    [Fact]
    public void BadParts_EachFault_IsFound()
    {
        Assert.Empty(ModuleRules.BadParts([typeof(GoodModule), typeof(Open)]));
        var bad = ModuleRules.BadParts([typeof(BadModule)]).Select(o => o[(o.IndexOf("BadModule.", StringComparison.Ordinal) + 10)..]).Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "<Property>k__BackingField: is the field of a property; hold the part in a field of its own",
                "Exposed: is not private",
                "_array: a collection of parts is not registered; use ModuleList, ModuleDict or ParameterList",
                "_buffer: has no [ComponentName(Name = ...)]",
                "_list: a collection of parts is not registered; use ModuleList, ModuleDict or ParameterList",
                "_map: a collection of parts is not registered; use ModuleList, ModuleDict or ParameterList",
                "_replaceable: is not readonly",
                "_unnamed: has no [ComponentName(Name = ...)]",
            ],
            bad);
    }

    [Fact]
    public void Bad_EachForbiddenReference_IsFound()
    {
        Assert.Empty(DependencyRules.Bad("Diffusion.Core", ["System.Runtime", "TorchSharp", "Microsoft.Extensions.Options", "Microsoft.CodeAnalysis.PublicApiAnalyzers"]));
        Assert.Equal(
            ["Diffusion.Core refers to SkiaSharp", "Diffusion.Core refers to Diffusion.Models", "Diffusion.Core refers to libtorch-cpu-linux-x64"],
            DependencyRules.Bad("Diffusion.Core", ["SkiaSharp", "Diffusion.Models", "libtorch-cpu-linux-x64"]));
        Assert.Equal(["Diffusion.Imaging refers to Diffusion.Models"], DependencyRules.Bad("Diffusion.Imaging", ["SkiaSharp", "Diffusion.Core", "Diffusion.Models"]));
        Assert.Equal(["Diffusion.Models refers to SkiaSharp"], DependencyRules.Bad("Diffusion.Models", ["SkiaSharp"]));
        var project = XDocument.Parse("""<Project><ItemGroup><PackageReference Include="ScottPlot" /><ProjectReference Include="../Diffusion.Core/Diffusion.Core.csproj" /></ItemGroup></Project>""");
        Assert.Equal(["Diffusion.Models refers to ScottPlot"], DependencyRules.BadReferences("Diffusion.Models", project));
    }

    [Fact]
    public void WithoutSummary_UndocumentedType_IsFound()
    {
        var documentation = XDocument.Parse($"""
            <doc><members>
              <member name="T:{typeof(Parent).FullName!.Replace('+', '.')}"><summary>A parent.</summary></member>
              <member name="T:{typeof(Open).FullName!.Replace('+', '.')}"><summary> </summary></member>
            </members></doc>
            """);
        Assert.Equal([typeof(Open).FullName, typeof(Child).FullName], DocumentationRules.WithoutSummary([typeof(Parent), typeof(Open), typeof(Child)], documentation));
    }

    [Fact]
    public void UnexplainedNoWarn_CodeWithoutReason_IsFound()
    {
        var project = XDocument.Parse("""
            <Project><PropertyGroup>
              <!-- CA1707: test names. -->
              <NoWarn>$(NoWarn);CA1707;CA1861</NoWarn>
              <LangVersion>latest</LangVersion>
              <NoWarn>CS1591</NoWarn>
            </PropertyGroup></Project>
            """);
        Assert.Equal(
            ["a.csproj: CA1861 in NoWarn has no reason in a comment above it", "a.csproj: CS1591 in NoWarn has no reason in a comment above it"],
            ProjectFileRules.UnexplainedNoWarn("a.csproj", project));
    }

    internal abstract class Parent;

    internal class Open : Parent;

    internal sealed class Child : Parent;

    internal sealed class Grandchild : Open;

    internal sealed record GoodOptions(int Steps)
    {
        public int Seed { get; init; }
    }

    internal sealed class ClassOptions;

    internal record OpenOptions;

    internal record BaseOptions;

    internal sealed record DerivedOptions : BaseOptions;

    internal sealed record SettableOptions
    {
        public int Steps { get; set; }
    }

    internal sealed record FieldOptions
    {
        public int Steps = 1;
    }

    internal sealed record ManyOptions(int A, int B, int C, int D, int E, int F, int G, int H, int I, int J, int K, int L, int M);

    internal abstract class GoodModule() : nn.Module("good")
    {
        private readonly int _width;
        private readonly long[] _shape = [];
        [ComponentName(Name = "conv_in")] private readonly nn.Module? _convIn;
        [ComponentName(Name = "weight")] private readonly Parameter? _weight;
        [ComponentName(Name = "table")] private readonly Tensor? _table;
        [ComponentName(Name = "blocks")] private readonly ModuleList<nn.Module>? _blocks;
    }

    internal abstract class BadModule() : nn.Module("bad")
    {
        [ComponentName(Name = "exposed")] public readonly nn.Module? Exposed;
        [ComponentName(Name = "replaceable")] private nn.Module? _replaceable;
        private readonly Parameter? _unnamed;
        private readonly Tensor? _buffer;
        private readonly nn.Module[] _array = [];
        private readonly List<nn.Module<Tensor, Tensor>> _list = [];
        private readonly Dictionary<string, Tensor> _map = [];

        public nn.Module? Property { get; }
    }
}
