using System.Text.Json;

namespace Diffusion.Sample.Tests;

/// <summary>No error of a command becomes a stack trace.</summary>
public sealed class ExitCodeTests
{
    public static TheoryData<Exception> Errors => [new JsonException("x"), new ArgumentException("x"), new NotSupportedException("x"), new InvalidDataException("x"), new KeyNotFoundException("x"), new TypeInitializationException("x", null)];

    [Theory]
    [MemberData(nameof(Errors))]
    public void Of_AnyError_IsOne(Exception error) => Assert.Equal(1, ExitCode.Of(() => throw error));

    [Fact]
    public void Of_Cancelled_IsLeftToTheCaller() => Assert.Throws<OperationCanceledException>(() => ExitCode.Of(() => throw new OperationCanceledException()));
}
