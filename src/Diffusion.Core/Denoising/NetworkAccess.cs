using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Who computes with a network: any number of evaluations with the same weights at once, or one training step. Evaluations find the network in evaluation mode whatever else
/// runs. Who waits comes in the order of arrival.
/// </summary>
internal sealed class NetworkAccess
{
    private static readonly ConditionalWeakTable<nn.Module, NetworkAccess> s_all = [];

    [ThreadStatic]
    private static List<NetworkAccess>? t_inside;

    private readonly nn.Module _network;
    private readonly LinkedList<object> _queue = new();
    private int _evaluations;
    private int _runs;
    private bool _training;
    private bool _trainsAfterwards; // the mode to go back to
    private IWeightSet? _weights;

    private NetworkAccess(nn.Module network) => _network = network;

    /// <summary>That of a network, one for each.</summary>
    public static NetworkAccess Of(nn.Module network) => s_all.GetValue(network, static network => new NetworkAccess(network));

    /// <summary>Begins an evaluation, waiting for a training step or for evaluations with other weights to end. Within another evaluation on this thread the weights stay.</summary>
    /// <param name="weights">What to compute with; <see langword="null"/> for the network's own weights.</param>
    /// <returns>What ends it, on the same thread.</returns>
    /// <exception cref="InvalidOperationException">This thread is evaluating the network with other weights.</exception>
    public Use Evaluate(IWeightSet? weights = null)
    {
        if (t_inside?.Contains(this) == true)
        {
            return Nested(weights);
        }

        lock (_queue)
        {
            Wait(trains: false, weights);
            PrepareToEvaluate(weights);
            _evaluations++;
        }

        (t_inside ??= []).Add(this);
        return new Use(this, false);
    }

    /// <summary>Begins a training step, or whatever else changes or reads the parameters: no evaluation runs meanwhile, and the network has its own weights. One within another on this thread is part of it.</summary>
    /// <returns>What ends it, on the same thread.</returns>
    /// <exception cref="InvalidOperationException">This thread is evaluating the network.</exception>
    public Use Train()
    {
        if (t_inside?.Contains(this) == true)
        {
            return _training ? default : throw new InvalidOperationException("A training step, or a change of the weights, cannot begin within a call of the network.");
        }

        lock (_queue)
        {
            Wait(trains: true, weights: null);
            Switch(null);
            _training = true;
        }

        (t_inside ??= []).Add(this);
        return new Use(this, true);
    }

    /// <summary>Leaves the network as evaluations have it between them, so that a run of many calls prepares it once: until the result is disposed. Nobody waits for it.</summary>
    public IDisposable Keep()
    {
        lock (_queue)
        {
            _runs++;
        }

        return new Run(this);
    }

    private Use Nested(IWeightSet? weights)
    {
        if (_training)
        {
            throw new InvalidOperationException("The network cannot be sampled within its own training step.");
        }

        return weights is null || ReferenceEquals(weights, _weights)
            ? default
            : throw new InvalidOperationException("A call of a network with its averaged weights cannot begin within a call of it with others.");
    }

    private bool IsFree(bool trains, IWeightSet? weights) => !_training && (_evaluations == 0 || (!trains && ReferenceEquals(_weights, weights)));

    private void Wait(bool trains, IWeightSet? weights)
    {
        if (_queue.Count == 0 && IsFree(trains, weights))
        {
            return;
        }

        var place = _queue.AddLast(new object());
        try
        {
            while (_queue.First != place || !IsFree(trains, weights))
            {
                Monitor.Wait(_queue); // may be interrupted: then nothing was begun
            }
        }
        finally
        {
            _queue.Remove(place);
            Monitor.PulseAll(_queue); // the next may have what it waits for, too
        }
    }

    private void PrepareToEvaluate(IWeightSet? weights)
    {
        Switch(weights);
        if (_network.training)
        {
            _trainsAfterwards = true;
            _network.eval();
        }
    }

    private void Switch(IWeightSet? weights)
    {
        if (ReferenceEquals(weights, _weights))
        {
            return;
        }

        var before = _weights;
        _weights = null; // also where a set fails, which is then out of the network or of no use
        before?.TakeOut();
        weights?.PutIn();
        _weights = weights;
    }

    /// <summary>Puts everything back as it was before the first evaluation.</summary>
    private void RestoreIfUnused()
    {
        if (_training || _evaluations > 0 || _runs > 0)
        {
            return;
        }

        Switch(null);
        if (_trainsAfterwards)
        {
            _trainsAfterwards = false;
            _network.train();
        }
    }

    private void End(bool training)
    {
        t_inside!.Remove(this);
        Uninterrupted.Enter(_queue);
        try
        {
            if (training)
            {
                _training = false;
            }
            else
            {
                _evaluations--;
            }

            RestoreIfUnused();
        }
        finally
        {
            Monitor.PulseAll(_queue);
            Monitor.Exit(_queue);
        }
    }

    private void EndLater() => InputGradients.PutOff(() => End(training: false));

    /// <summary>An evaluation or a training step.</summary>
    public readonly ref struct Use(NetworkAccess? access, bool training)
    {
        public void Dispose()
        {
            if (training || !InputGradients.AreWanted)
            {
                access?.End(training);
            }
            else
            {
                access?.EndLater();
            }
        }
    }

    private sealed class Run(NetworkAccess access) : IDisposable
    {
        private bool _ended;

        public void Dispose()
        {
            Uninterrupted.Enter(access._queue);
            try
            {
                if (!_ended)
                {
                    _ended = true;
                    access._runs--;
                    access.RestoreIfUnused();
                }
            }
            finally
            {
                Monitor.Exit(access._queue);
            }
        }
    }
}
