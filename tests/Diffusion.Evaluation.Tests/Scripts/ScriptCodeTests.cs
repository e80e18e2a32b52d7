namespace Diffusion.Evaluation.Tests;

/// <summary>The operators that code of TorchScript calls.</summary>
public sealed class ScriptCodeTests
{
    private const string Code = """
        def forward(self: __torch__.Net,
            x: Tensor) -> Tensor:
            _0 = "torch.text(x) is \"no call\": torch.other("
            y = torch.add(torch.relu(x), ops.torchvision.roi_align(x, [1, 2]))
            if torch.eq(torch.dim(y), 4):
              ops.prim.RaiseException(_0)
              z = torch.newer(x, torch.newest(y))
            else:
              z = (self.conv).forward(y, )
            return z
        """;

    [Fact]
    public void Calls_InCode_AreThoseOfOperatorsAlone() => Assert.Equal(
        ["aten::add", "aten::relu", "torchvision::roi_align", "aten::eq", "aten::dim", "aten::newer", "aten::newest"], ScriptCode.Calls(Code).Select(call => call.Operator));

    [Fact]
    public void Without_OperatorsThatAreMissing_RaisesWhereTheyWereCalled()
    {
        var code = ScriptCode.Without(Code, new HashSet<string> { "aten::newer", "aten::newest" }, name => $"no {name}");

        Assert.Equal(Code.Replace("      z = torch.newer(x, torch.newest(y))\n", "      ops.prim.RaiseException(\"no aten::newer\")\n      z = uninitialized(Tensor)\n", StringComparison.Ordinal), code);
    }

    [Fact]
    public void Without_SeveralCallsInOneStatement_KeepsTheOthers()
    {
        var code = ScriptCode.Without("  a = torch.add(torch.one(x), torch.mul(torch.two(\n    x), 2))\n  return a\n", new HashSet<string> { "aten::one", "aten::two" }, name => name);

        Assert.Equal("  ops.prim.RaiseException(\"aten::one\")\n  a = torch.add(uninitialized(Tensor), torch.mul(uninitialized(Tensor), 2))\n  return a\n", code);
    }

    [Fact]
    public void Without_OperatorOfSeveralResults_IsRefused() => Assert.Null(ScriptCode.Without("  a, b = torch.newer(x)\n", new HashSet<string> { "aten::newer" }, name => name));

    [Fact]
    public void Missing_AmongOperators_AreThoseThatLibtorchLacks()
    {
        string[] known =
        [
            .. new[]
            {
                "conv2d", "_convolution", "batch_norm", "relu", "relu_", "silu", "gelu", "linear", "layer_norm", "scaled_dot_product_attention", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "flatten",
                "cat", "add", "mul", "div", "size", "slice", "select", "__contains__", "__is__", "__isnot__", "format", "len", "append", "eq", "Int", "Float", "IntImplicit", "list", "softmax", "permute", "transpose",
                "reshape", "view", "mean", "dropout", "expand", "embedding", "upsample_bilinear2d", "_upsample_bilinear2d_aa", "warn", "floordiv", "index", "to", "dim", "chunk", "unbind", "matmul", "einsum",
                "__not__", "__getitem__", "floor", "sqrt", "item", "arange", "zeros", "device", "contiguous", "unsqueeze", "group_norm", "hardswish_", "sigmoid", "clamp", "remainder", "neg", "ne", "ge", "values", "keys",
            }.Select(name => $"aten::{name}"),
            "quantized::conv2d",
        ];

        Assert.Equal(["aten::_upsample_lanczos3d_of_tomorrow", "torchvision::nms"], ScriptOperators.Missing([.. known, "torchvision::nms", "aten::_upsample_lanczos3d_of_tomorrow"]).Order(StringComparer.Ordinal));
    }
}
