namespace Diffusion.Sample.Tests;

/// <summary>What is said of a command line that cannot be read: what is wrong, what is like it, and nothing that only follows from it.</summary>
public sealed class MistakesTests
{
    [Theory]
    [InlineData("sample --checkpoint out --guidence 2", "'sample' has no option '--guidence'; did you mean '--guidance'?")]
    [InlineData("train --batch-size 8", "'train' has no option '--batch-size'.")]
    [InlineData("train --setps 8 --confg a.json", "'train' has no option '--setps'; did you mean '--steps'?|'train' has no option '--confg'; did you mean '--config'?")]
    [InlineData("trian --config a.json", "There is no command 'trian'; did you mean 'train'?")]
    [InlineData("samples", "There is no command 'samples'; did you mean 'sample'?")]
    [InlineData("draw", "There is no command 'draw'.")]
    [InlineData("info --checkpoint out", "'info' has no option '--checkpoint'.")]
    [InlineData("info --varient", "'info' has no option '--varient'; did you mean '--variant'?")]
    [InlineData("info out more", "'info' does not take the argument 'more'.")]
    [InlineData("--steps 3", "The program without a command has no option '--steps'.")]
    public void Of_UnknownName_IsSaidWithWhatItIsLike(string line, string expected)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(expected);
        Assert.Equal(expected.Split('|'), Mistakes.Of(CommandLine.Create().Parse(line.Split(' '))));
    }

    [Fact]
    public void Of_WrongValue_IsTheMessageOfTheOption() =>
        Assert.Contains("--steps", Assert.Single(Mistakes.Of(CommandLine.Create().Parse(["train", "--steps", "many"]))), StringComparison.Ordinal);

    [Theory]
    [InlineData("train --steps 3")]
    [InlineData("info -- --a-folder")]
    public void Of_NoMistake_IsNothing(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        Assert.Empty(Mistakes.Of(CommandLine.Create().Parse(line.Split(' '))));
    }

    [Theory]
    [InlineData("steps", "setps", 1)]
    [InlineData("train", "trian", 1)]
    [InlineData("guidance", "guidence", 1)]
    [InlineData("count", "counts", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("out", "seed", 4)]
    public void Distance_OfWords_IsTheNumberOfChanges(string one, string other, int expected)
    {
        Assert.Equal(expected, Mistakes.Distance(one, other));
        Assert.Equal(expected, Mistakes.Distance(other, one));
    }

    [Theory]
    [InlineData("Sampling.Count", false, "--count must be at least 1")]
    [InlineData("Sampling.Steps", false, "--steps must be at least 1")]
    [InlineData("Sampling.Steps", true, "sampling.steps must be at least 1")]
    [InlineData("Training.Steps", true, "--steps must be at least 1")]
    [InlineData("Training.LearningRateSchedule.WarmUpSteps", true, "training.learningRateSchedule.warmUpSteps must be at least 1")]
    public void ThrowIfAny_OptionOfARun_IsNamedAsItWasGiven(string path, bool trains, string expected)
    {
        var options = trains ? Mistakes.OfTraining : Mistakes.OfDrawing;
        var error = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => Mistakes.ThrowIfAny([new OptionsError(path, "must be at least 1")], options));
        Assert.Equal([expected], error.Failures);
    }

    [Fact]
    public void ThrowIfAny_MessageWithOptions_NamesThemAsTheCommandLineDoes()
    {
        OptionsError[] mistakes = [new("Sampling.GuidanceSigmaMax", "must be above GuidanceSigmaMin, 3; it is 2."), new("Model.StemChannels", "must be a multiple of NormGroups.")];
        var error = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => Mistakes.ThrowIfAny(mistakes, Mistakes.OfDrawing));
        Assert.Equal(["--guidance-sigma-max must be above --guidance-sigma-min, 3; it is 2.", "model.stemChannels must be a multiple of normGroups."], error.Failures);
    }
}
