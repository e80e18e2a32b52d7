using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>U-Nets with labels.</summary>
public sealed class UNetLabelTests
{
    private static readonly UNetBuilder s_plain = UNetBuilder.ForImages(channels: 1, size: 8).With(options => options with { TimeDimension = 16 }).Down(16, layers: 1); // two channels a group: with one, the norm after it takes the label away

    [Fact]
    public void Predict_Labels_HaveAnEffect()
    {
        using var scope = NewDisposeScope();
        using var network = Build(new LabelOptions { Classes = 3 });
        Assert.True(network is { TakesLabels: true, TakesContext: false });
        Assert.Contains("labels.table.weight", network.state_dict().Keys);
        var (images, timesteps, labels) = (randn(2, 1, 8, 8), tensor([3L, 900L]), tensor([0L, 2L]));
        Assert.False(network.Predict(images, timesteps, tensor([1L])).allclose(network.Predict(images, timesteps, labels), rtol: 0.01));
        Assert.Equal(network.ParameterCount, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Modes_OfTheWhole_AreThoseOfTheLayers()
    {
        using var scope = NewDisposeScope();
        using var network = s_plain.With(options => options with
        {
            ZeroInitialize = false,
            Dialect = new UNetDialect { Labels = new(), Residual = new() { Dropout = 0.5 } },
        }).Build();
        var (images, timesteps, labels) = (randn(1, 1, 8, 8), tensor([3L]), tensor([0L]));
        network.eval();
        TensorAssert.Identical(network.Predict(images, timesteps, labels), network.Predict(images, timesteps, labels), "evaluation");
        network.train();
        Assert.False(network.Predict(images, timesteps, labels).allclose(network.Predict(images, timesteps, labels)));
        network.to(ScalarType.Float64);
        network.eval();
        Assert.Equal(ScalarType.Float64, network.Predict(images.@double(), timesteps, labels).dtype);
    }

    [Theory]
    [InlineData(LabelKind.Timestep)]
    [InlineData(LabelKind.Identity)]
    public void Predict_OtherKinds_TakeNumbersOrVectors(LabelKind kind)
    {
        using var scope = NewDisposeScope();
        using var network = Build(new LabelOptions { Kind = kind });
        var (images, timesteps) = (randn(2, 1, 8, 8), tensor([3L, 900L]));
        var labels = kind == LabelKind.Identity ? randn(2, 16) : tensor([0.5f, 7f]);
        Assert.Equal([2, 1, 8, 8], network.Predict(images, timesteps, labels).shape);
        var wrong = kind == LabelKind.Identity ? tensor([0L, 1L]) : randn(2, 16);
        Assert.Contains("Labels must have the shape [2", Message(() => network.Predict(images, timesteps, wrong)), StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_WrongLabels_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var network = Build(new LabelOptions { Classes = 3 });
        using var plain = s_plain.Build();
        var (images, timesteps) = (randn(2, 1, 8, 8), tensor([3L, 900L]));
        Assert.Contains("This network needs labels", Message(() => network.call(images, timesteps)), StringComparison.Ordinal);
        Assert.Contains("This network has no labels", Message(() => plain.Predict(images, timesteps, tensor([0L]))), StringComparison.Ordinal);
        Assert.Contains("[2], one an image, or [1]; the shape is [3]", Message(() => network.Predict(images, timesteps, tensor([0L, 1L, 2L]))), StringComparison.Ordinal);
        Assert.Contains("in [0, 2]; 3 was given", Message(() => network.Predict(images, timesteps, tensor([0L, 3L]))), StringComparison.Ordinal);
        Assert.Contains("in [0, 2]; -1 was given", Message(() => network.Predict(images, timesteps, tensor([-1L, 3L]))), StringComparison.Ordinal);
        Assert.Contains("a fraction", Message(() => network.Predict(images, timesteps, tensor([0.5f]))), StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_Guided_Denoises()
    {
        using var scope = NewDisposeScope();
        using var network = Build(new LabelOptions { Classes = 4 });
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), nullCondition: Condition.OfLabels(3));
        using var images = new DdpmSampler(steps: 3).Sample(denoiser.With(0, 1).Guided(2), [2, 1, 8, 8], seed: 1);
        Assert.Equal([2, 1, 8, 8], images.shape);
        Assert.True(images.isfinite().all().item<bool>());
    }

    private static UNet Build(LabelOptions labels) => s_plain
        .With(options => options with { ZeroInitialize = false, Dialect = new UNetDialect { Labels = labels } }).Build();

    private static string Message(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;
}
