using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class LatentInterpolationTests
{
    private static readonly GaussianDenoiser s_denoiser = new(new LinearNoiseSchedule());

    [Fact]
    public void Slerp_RightAngle_IsTheCircle()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (tensor([2f, 0, 1, 0]).view(2, 1, 1, 2), tensor([0f, 2, 0, 1]).view(2, 1, 1, 2));
        var (c, s) = ((float)Math.Cos(Math.PI / 6), (float)Math.Sin(Math.PI / 6));
        TensorAssert.Close(tensor([2 * c, 2 * s, c, s]).view(2, 1, 1, 2), LatentInterpolation.Slerp(from, to, 1 / 3.0), 1e-6, 0, "a third of the way");
    }

    [Fact]
    public void Slerp_Ends_AreExact()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Normal.Of(1, 3, 2, 4, 4), Normal.Of(2, 3, 2, 4, 4));
        TensorAssert.Identical(from, LatentInterpolation.Slerp(from, to, 0), "from");
        TensorAssert.Identical(to, LatentInterpolation.Slerp(from, to, 1), "to");
    }

    [Fact]
    public void Slerp_Noise_KeepsItsLength()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Normal.Of(1, 3, 1, 32, 32), Normal.Of(2, 3, 1, 32, 32));
        Assert.InRange(LatentInterpolation.Slerp(from, to, 0.5).std().item<float>(), 0.95, 1.05);
        Assert.InRange(((from + to) / 2).std().item<float>(), 0.65, 0.75); // a straight line does not
    }

    [Fact]
    public void Slerp_ParallelOppositeOrZero_GoesStraight()
    {
        using var scope = NewDisposeScope();
        var from = Normal.Of(1, 3, 1, 4, 4);
        var to = from * tensor([1.0001f, -1, 0]).view(3, 1, 1, 1);
        TensorAssert.Close((from * 0.25) + (to * 0.75), LatentInterpolation.Slerp(from, to, 0.75), 1e-6, 1e-6, "straight");
    }

    [Fact]
    public void Path_TwoBatches_ListsArcAfterArc()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Normal.Of(1, 2, 1, 4, 4), Normal.Of(2, 2, 1, 4, 4));
        var path = LatentInterpolation.Path(from, to, 3);
        Assert.Equal([6, 1, 4, 4], path.shape);
        TensorAssert.Identical(from[0], path[0], "start of the first");
        TensorAssert.Identical(to[0], path[2], "end of the first");
        TensorAssert.Identical(from[1], path[3], "start of the second");
        TensorAssert.Identical(LatentInterpolation.Slerp(from, to, 0.5)[1], path[4], "middle of the second");
    }

    [Fact]
    public void Images_Ends_AreTheReconstructions()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Normal.Of(1, 2, 1, 4, 4).mul_(0.5), Normal.Of(2, 2, 1, 4, 4).mul_(0.5));
        var images = LatentInterpolation.Images(s_denoiser, from, to, 4, 20);
        Assert.Equal([8, 1, 4, 4], images.shape);
        var (first, last) = (Reconstruction.Sample(s_denoiser, from, 20), Reconstruction.Sample(s_denoiser, to, 20));
        TensorAssert.Close(first, stack([images[0], images[4]]), 1e-5, 1e-5, "starts");
        TensorAssert.Close(last, stack([images[3], images[7]]), 1e-5, 1e-5, "ends");
        TensorAssert.Identical(images, LatentInterpolation.Images(s_denoiser, from, to, 4, 20), "again");
    }

    [Fact]
    public void Images_AnyRun_LeavesNoTensor()
    {
        using var from = Normal.Of(1, 2, 1, 4, 4);
        using var to = Normal.Of(2, 2, 1, 4, 4);
        Leaks.None(() => LatentInterpolation.Images(s_denoiser, from, to, 3, 5).Dispose());
    }

    [Fact]
    public void Slerp_WrongArguments_AreNamed()
    {
        using var from = Normal.Of(1, 2, 1, 4, 4);
        using var to = Normal.Of(1, 2, 1, 4, 5);
        Assert.Throws<ArgumentException>("to", () => LatentInterpolation.Slerp(from, to, 0.5));
        Assert.Throws<ArgumentException>("to", () => LatentInterpolation.Images(s_denoiser, from, to, 3, 5));
        Assert.Throws<ArgumentOutOfRangeException>("share", () => LatentInterpolation.Slerp(from, from, 1.5));
        Assert.Throws<ArgumentOutOfRangeException>("points", () => LatentInterpolation.Path(from, from, 1));
    }
}
