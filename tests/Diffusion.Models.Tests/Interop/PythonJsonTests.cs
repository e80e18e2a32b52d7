using System.Text.Json;

namespace Diffusion.Models.Tests;

public sealed class PythonJsonTests
{
    [Theory]
    [InlineData("-Infinity", double.NegativeInfinity)]
    [InlineData("Infinity", double.PositiveInfinity)]
    [InlineData("[-Infinity]", double.NegativeInfinity)]
    [InlineData("{\"a\" :\tInfinity\r\n}", double.PositiveInfinity)]
    [InlineData("{\"a\":[1,Infinity,2]}", double.PositiveInfinity)]
    public void Parse_AnInfinityAsPythonWritesIt_IsThatNumber(string json, double expected)
    {
        using var document = PythonJson.Parse(json);
        var value = document.RootElement;
        value = value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Single().Value : value;
        Assert.Equal(expected, (value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().MaxBy(item => Math.Abs(item.GetDouble())) : value).GetDouble());
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("[ NaN , 1]")]
    public void Parse_NaN_IsNoNumber(string json)
    {
        using var document = PythonJson.Parse(json);
        var value = document.RootElement;
        value = value.ValueKind switch { JsonValueKind.Object => value.GetProperty("a"), JsonValueKind.Array => value[0], _ => value };
        Assert.Equal(JsonValueKind.String, value.ValueKind);
        Assert.Equal("NaN", value.GetString());
    }

    [Theory]
    [InlineData("""{"a":"NaN, -Infinity: Infinity"}""", "NaN, -Infinity: Infinity")]
    [InlineData("""{"a":"\" : Infinity , "}""", "\" : Infinity , ")]
    [InlineData("""{"a":"\\","b": -Infinity}""", "\\")]
    [InlineData("""{"a":"\\\" : NaN","b": NaN}""", "\\\" : NaN")]
    public void Parse_TheWordsInATextOrName_StayAsTheyAre(string json, string expected)
    {
        using var document = PythonJson.Parse(json);
        Assert.Equal(expected, document.RootElement.GetProperty("a").GetString());
        using var named = PythonJson.Parse("""{" Infinity ":1," NaN ":2}""");
        Assert.Equal([" Infinity ", " NaN "], named.RootElement.EnumerateObject().Select(entry => entry.Name));
    }

    /// <summary>What Python itself refuses, and words that would become numbers together with their neighbours.</summary>
    [Theory]
    [InlineData("+Infinity")]
    [InlineData("--Infinity")]
    [InlineData("1Infinity")]
    [InlineData("Infinity1")]
    [InlineData("-NaN")]
    [InlineData("nan")]
    [InlineData("infinity")]
    [InlineData("Infinit")]
    [InlineData("NaNNaN")]
    [InlineData("[Infinity Infinity]")]
    [InlineData("{NaN:1}")]
    [InlineData("{ NaN : 1}")]
    [InlineData("{\"a\":1,\"a\":NaN}")]
    public void Parse_WhatIsNotThat_IsNoJson(string json) => Assert.ThrowsAny<JsonException>(() => PythonJson.Parse(json).Dispose());

    [Fact]
    public void ToStandard_PlainJson_IsTheSameText()
    {
        const string Json = """{"a": [1, "x"]}""";
        Assert.Same(Json, PythonJson.ToStandard(Json));
    }
}
