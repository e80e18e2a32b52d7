using System.Reflection;
using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests;

/// <summary>What users have to know stays small: the numbers of public types.</summary>
public sealed class PublicSurfaceTests
{
    private const int MostTypes = 150;
    private const int MostObservers = 15;
    private const int MostImageSharp = 1;
    private const int MostEvaluation = 30;
    private const string Observers = "Diffusion.Observers";
    private const string ImageSharp = "Diffusion.Imaging.ImageSharp";
    private const string Evaluation = "Diffusion.Evaluation";

    [Fact]
    public void PublicTypes_OfTheLibrariesTogether_AreFew() => Few([.. Repository.Libraries.Where(library => library.GetName().Name is not (Observers or ImageSharp or Evaluation))], MostTypes);

    [Fact]
    public void PublicTypes_OfTheObservers_AreFew() => Few([.. Repository.Libraries.Where(library => library.GetName().Name == Observers)], MostObservers);

    [Fact]
    public void PublicTypes_OfTheEvaluation_AreFew() => Few([.. Repository.Libraries.Where(library => library.GetName().Name == Evaluation)], MostEvaluation);

    [Fact]
    public void PublicTypes_OfTheCodecOnImageSharp_AreOne() => Few([.. Repository.Libraries.Where(library => library.GetName().Name == ImageSharp)], MostImageSharp);

    private static void Few(IReadOnlyList<Assembly> libraries, int most)
    {
        var types = libraries.Select(library => (Name: library.GetName().Name!, Types: TypeRules.Public(library).Where(type => !type.IsNested).Select(type => type.Name).Order(StringComparer.Ordinal).ToArray())).ToArray();
        var count = types.Sum(library => library.Types.Length);
        Assert.NotEqual(0, count);
        Assert.True(
            count <= most,
            $"{count} public types, and {most} are the most; make internal what no public signature, sample or extension point needs:{string.Concat(types.Select(library => $"\n  {library.Name}, {library.Types.Length}: {string.Join(", ", library.Types)}"))}");
    }
}
