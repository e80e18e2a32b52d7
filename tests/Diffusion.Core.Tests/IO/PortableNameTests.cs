namespace Diffusion.Tests;

public sealed class PortableNameTests
{
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData(".lock")]
    [InlineData("console.txt")]
    [InlineData("COM10")]
    [InlineData("null")]
    [InlineData("Füße und 猫")]
    public void Fault_NamesThatEverySystemTakes_HaveNone(string name) => Assert.Null(PortableName.Fault(name));

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("NUL", "is the name of a device on Windows")]
    [InlineData("con.safetensors", "is the name of a device on Windows")]
    [InlineData("aux .tar.gz", "is the name of a device on Windows")]
    [InlineData("Lpt³", "is the name of a device on Windows")]
    [InlineData("CONOUT$", "is the name of a device on Windows")]
    [InlineData("cats.", "ends with a dot or a space, which Windows drops")]
    [InlineData("cats ", "ends with a dot or a space, which Windows drops")]
    [InlineData("..", "ends with a dot or a space, which Windows drops")]
    [InlineData("a:b", "has the character :")]
    [InlineData("../model", "has the character /")]
    [InlineData("a\\b", "has the character \\")]
    [InlineData("a\0", "has the character U+0000")]
    public void Fault_Names_SaysWhatIsWrong(string name, string fault) => Assert.Equal(fault, PortableName.Fault(name));

    [Theory]
    [InlineData(@"C:\runs\digits.png", null)]
    [InlineData(@"C:digits.png", null)]
    [InlineData(@"\\server\share\..\digits.png", null)]
    [InlineData(@"\\?\C:\runs\digits.png", null)]
    [InlineData(@"..\out/x", null)]
    [InlineData(@"C:\runs\nul\digits.png", "nul")]
    [InlineData(@"C:aux", "aux")]
    [InlineData(@"out\a:x.png", "a:x.png")]
    [InlineData(@"\\?\C:\prn\x", "prn")]
    [InlineData(@"out.\digits.png", "out.")]
    public void FaultIn_PathsOfWindows_FindsThePart(string path, string? part) => Assert.Equal(part, PortableName.FaultIn(path)?.Name);
}
