using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class GraphGradientsTests
{
    [Fact]
    public void Of_SeveralInputs_AreThoseOfTheEngineAndLeaveGradAlone()
    {
        using var scope = NewDisposeScope();
        var (one, other) = (arange(3, dtype: ScalarType.Float32).requires_grad_(), ones(3, requires_grad: true));
        one.grad = full(3, 7f);
        var product = one * other;

        var gradients = GraphGradients.Of([product], [one, other, product], tensor(new[] { 1f, 2, 3 }));

        Assert.Equal([1, 2, 3], gradients[0].data<float>().ToArray());
        Assert.Equal([0, 2, 6], gradients[1].data<float>().ToArray());
        Assert.Equal([1, 2, 3], gradients[2].data<float>().ToArray());
        Assert.Equal([7, 7, 7], one.grad!.data<float>().ToArray());
        Assert.True(other.grad is null);
    }

    [Fact]
    public void DifferentiableOf_ACube_HasASecondDerivative()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 2f }).requires_grad_();

        var first = GraphGradients.DifferentiableOf([(x * x * x).sum()], [x])[0];
        var second = GraphGradients.Of([first.sum()], [x])[0];

        Assert.Equal(12, first.item<float>());
        Assert.Equal(12, second.item<float>());
    }

    [Fact]
    public void KeptOf_TwoDirections_AreOfOneGraph()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 2f, 3f }).requires_grad_();
        var squares = x * x;

        var first = GraphGradients.KeptOf([squares], [x], tensor(new[] { 1f, 0 }))[0];
        var second = GraphGradients.Of([squares], [x], tensor(new[] { 0, 1f }))[0];

        Assert.Equal([4, 0], first.data<float>().ToArray());
        Assert.False(first.requires_grad);
        Assert.Equal([0, 6], second.data<float>().ToArray());
        Assert.Throws<ExternalException>(() => GraphGradients.Of([squares], [x], tensor(new[] { 0, 1f })));
    }

    [Fact]
    public void PartialOf_AnInputThatIsNotUsed_IsNull()
    {
        using var scope = NewDisposeScope();
        var (used, unused) = (ones(2, requires_grad: true), ones(2, requires_grad: true));

        var gradients = GraphGradients.PartialOf([used.sum()], [unused, used]);

        Assert.True(gradients[0] is null);
        Assert.Equal([1, 1], gradients[1]!.data<float>().ToArray());
    }

    /// <summary>Without <see cref="GraphGradients"/> each of these ends the process.</summary>
    [Fact]
    public void Of_WhatLibtorchRefuses_IsAnExceptionWithItsReason()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);

        var shape = Assert.Throws<ExternalException>(() => GraphGradients.Of([x * x], [x], ones(3)));
        var unused = Assert.Throws<ExternalException>(() => GraphGradients.Of([(x * x).sum()], [ones(2, requires_grad: true)]));
        var failing = Assert.Throws<ExternalException>(() => GraphGradients.Of([FailingGradient.Apply(x).sum()], [x]));

        Assert.Contains("got [3]", shape.Message, StringComparison.Ordinal);
        Assert.Contains("not have been used", unused.Message, StringComparison.Ordinal);
        Assert.Contains("invalid gradient", failing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OneThousandTimes_LeavesNoTensorBehind()
    {
        using var x = ones(2, requires_grad: true);
        var before = LiveTensors.Settled();
        for (var i = 0; i < 1000; i++)
        {
            using var scope = NewDisposeScope();
            GraphGradients.Of([(x * x).sum()], [x]);
        }

        Assert.Equal(before, LiveTensors.Settled());
    }
}
