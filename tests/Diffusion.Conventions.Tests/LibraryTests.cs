using System.Xml.Linq;
using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests;

/// <summary>The conventions over the built libraries.</summary>
public sealed class LibraryTests
{
    [Fact]
    public void PublicClasses_OfTheLibraries_AreAbstractSealedOrStatic() => Offenders.None(
        "A class that is neither meant for deriving nor closed to it:",
        TypeRules.NeitherAbstractNorSealed(Repository.Libraries.SelectMany(TypeRules.Public)));

    [Fact]
    public void Inheritance_OfTheLibraries_HasOneLevelOfOurs() => Offenders.None(
        "More than one level of our own inheritance; wrap instead:",
        TypeRules.DeepInheritance(Repository.Libraries.SelectMany(TypeRules.All), type => Repository.Libraries.Contains(type.Assembly)));

    [Fact]
    public void PublicTypes_OfEachLibrary_AreInItsNamespace() => Offenders.None(
        "One namespace an assembly:",
        Repository.Libraries.SelectMany(library => TypeRules.InOtherNamespace(TypeRules.Public(library), Repository.NamespaceOf(library.GetName().Name!))));

    [Fact]
    public void Options_OfTheLibraries_AreSmallImmutableRecords() => Offenders.None(
        "Options are sealed records with init-only properties, few of them:",
        TypeRules.BadOptions(Repository.Libraries.SelectMany(TypeRules.Public)));

    [Fact]
    public void Modules_OfTheLibraries_HoldPartsInNamedPrivateFields() => Offenders.None(
        "Parts of a network are private readonly fields with [ComponentName]:",
        ModuleRules.BadParts(Repository.Libraries.SelectMany(TypeRules.All)));

    [Fact]
    public void References_OfTheLibraries_RunOneWay() => Offenders.None(
        "A library uses what it may not:",
        Repository.Libraries.SelectMany(library =>
            DependencyRules.BadReferences(library).Concat(DependencyRules.BadReferences(library.GetName().Name!, ProjectOf(library.GetName().Name!)))));

    [Fact]
    public void Numbers_OfTheLibraries_AreKeptWhileTheyAreRead() => Offenders.None(
        "A number that libtorch reads belongs to nobody (eng/BannedSymbols.Numbers.txt):",
        Repository.Libraries.SelectMany(NumberRules.Uses));

    [Fact]
    public void BannedNumbers_OfTorchSharp_AreAllThere() => Offenders.None(
        "Banned, but not in TorchSharp:", NumberRules.Unknown(typeof(TorchSharp.torch).Assembly));

    [Fact]
    public void PublicTypes_OfTheLibraries_HaveASummary() => Offenders.None(
        "Public types without a <summary>:",
        Repository.Libraries.SelectMany(library =>
            DocumentationRules.WithoutSummary(TypeRules.Public(library), XDocument.Load(Path.ChangeExtension(library.Location, ".xml")))));

    [Fact]
    public void Documentation_OfTheLibraries_RefersToWhatUsersSee() => Offenders.None(
        "Public documentation refers to what is internal:",
        Repository.Libraries.SelectMany(library =>
            DocumentationRules.HiddenReferences(library, XDocument.Load(Path.ChangeExtension(library.Location, ".xml")), [.. Repository.Libraries])));

    private static XDocument ProjectOf(string library) => XDocument.Load(Path.Combine(Repository.Root, "src", library, library + ".csproj"));
}
