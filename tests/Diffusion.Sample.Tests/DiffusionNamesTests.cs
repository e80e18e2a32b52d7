using Diffusion.Models;

namespace Diffusion.Sample.Tests;

/// <summary>From the schedule of a scheduler of diffusers to the options of a configuration.</summary>
public sealed class DiffusionNamesTests
{
    // Other classes have other betas where the text leaves them out.
    [Theory]
    [InlineData("\"_class_name\": \"DDPMScheduler\", \"beta_start\": 0.0012345, \"beta_end\": 0.0123", 0.0012345, 0.0123)]
    [InlineData("\"_class_name\": \"DDPMScheduler\", \"beta_start\": 0.0015, \"beta_end\": 0.0195, \"lambda_max_clipped\": Infinity, \"_note\": \"-Infinity \\\" NaN\"", 0.0015, 0.0195)]
    [InlineData("\"_class_name\": \"KDPM2DiscreteScheduler\"", 0.00085, 0.012)]
    public void Find_LinearSchedules_HaveTheirBetas(string keys, double start, double end)
    {
        var scheduler = DiffusersScheduler.Parse($"{{ {keys} }}", ["lambda_max_clipped"]);
        var found = DiffusionNames.Find(scheduler.Schedule, scheduler.Parameterization, scheduler);
        Assert.Equal(("linear", start, end), (found?.Schedule, found?.BetaStart, found?.BetaEnd));
    }
}
