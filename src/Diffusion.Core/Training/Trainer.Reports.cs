using static TorchSharp.torch;

namespace Diffusion;

/// <content>What observers find out, passed on to the others.</content>
public sealed partial class Trainer
{
    /// <summary>Tells all observers a number that was found out about the run, as of the last step done: logs write it, the report draws it.</summary>
    /// <param name="name">What it is, in lower case with underscores; without commas and line breaks.</param>
    /// <param name="value">The number; it may be infinite or not a number.</param>
    /// <exception cref="ArgumentException">The name is empty, or has a comma or a line break.</exception>
    public void Report(string name, double value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.AsSpan().ContainsAny(",\r\n"))
        {
            throw new ArgumentException($"The name of a measurement is a field of a CSV file; '{name}' has a comma or a line break.", nameof(name));
        }

        var measurement = new TrainingMeasurement(StepsDone, name, value);
        foreach (var observer in Observers)
        {
            observer.OnMeasurement(this, measurement);
        }
    }

    /// <summary>Shows all observers a picture that was made of the run.</summary>
    /// <param name="picture">The picture.</param>
    public void Report(TrainingPicture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        foreach (var observer in Observers)
        {
            observer.OnPicture(this, picture);
        }
    }

    /// <summary>The Euclidean norm of all trained parameters together. Waits for the device.</summary>
    /// <returns>At least 0.</returns>
    public double ParameterNorm()
    {
        lock (_exclusive)
        {
            using var noGradients = no_grad();
            using var norm = _state.Parameters.Values.norm();
            return norm.item<float>();
        }
    }
}
