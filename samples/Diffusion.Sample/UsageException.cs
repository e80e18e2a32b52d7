namespace Diffusion.Sample;

/// <summary>The command line or the configuration asks for something that cannot be done.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Does something with values of the command line: what the library says against them is the user's to mend.</summary>
    public static T Unless<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.ReplaceLineEndings(" "));
        }
    }
}
