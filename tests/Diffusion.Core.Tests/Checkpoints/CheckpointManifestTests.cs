using System.Text;

namespace Diffusion;

public class CheckpointManifestTests
{
    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../model.safetensors")]
    [InlineData("a\\\\b")]
    [InlineData("a\\u0000b")]
    public void Open_FileOutsideTheFolder_IsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        const string start = """{"schema":1,"step":1,"seed":1,"batchSize":1,"imageCount":1,"library":"1","files":{""";
        folder.Write("manifest.json", Encoding.UTF8.GetBytes($"{start}\"{name}\":{{\"bytes\":1,\"sha256\":\"00\"}}}}}}"));
        var message = Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.File("."))).Message;
        Assert.Contains("lie beside its manifest", message, StringComparison.Ordinal);
    }
}
