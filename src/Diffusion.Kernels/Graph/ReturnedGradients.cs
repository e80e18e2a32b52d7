using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Gradients that functions of the graph return to the backward pass: nobody disposes them there, but once the next are returned, libtorch has its own references.</summary>
internal static class ReturnedGradients
{
    [ThreadStatic]
    private static List<Tensor?>? t_last;

    private const string Wanted = "wanted";
    private const string Once = "once";

    /// <summary>Saves tensors for the backward pass; those that may need gradients first, with whether they do: a failure is told in gradients that do not fit.</summary>
    /// <param name="context">Of the function.</param>
    /// <param name="once">Whether there is one backward pass, after which it is freed.</param>
    /// <param name="sources">What gradients are returned for.</param>
    /// <param name="others">What else is saved.</param>
    public static void Save(autograd.AutogradContext context, bool once, IReadOnlyList<Tensor> sources, params Tensor[] others)
    {
        context.save_data(Once, once);
        context.save_data(Wanted, sources.Select(source => source.requires_grad).ToArray());
        context.save_for_backward([.. sources, .. others]);
    }

    /// <summary>The same for gradients that need no tensors.</summary>
    /// <param name="context">Of the function.</param>
    /// <param name="once">As above.</param>
    /// <param name="sources">How many tensors gradients are returned for.</param>
    public static void SaveNothing(autograd.AutogradContext context, bool once, int sources)
    {
        context.save_data(Once, once);
        context.save_data(Wanted, Enumerable.Repeat(true, sources).ToArray());
        context.save_for_backward([]);
    }

    /// <summary>Returns gradients of a function whose own have no derivatives: those that are differentiated again are taken through operations of libtorch.</summary>
    /// <param name="context">As below.</param>
    /// <param name="without">As below.</param>
    /// <param name="direction">Of the output.</param>
    /// <param name="gradients">Makes those of the sources from what was saved; sources require gradients if they did in the forward pass, whatever was frozen since.</param>
    /// <param name="output">Makes the output of the function from the sources.</param>
    public static List<Tensor> Return(autograd.AutogradContext context, int without, Tensor direction, Func<List<Tensor>, List<Tensor?>> gradients, Func<List<Tensor>, Tensor> output)
    {
        var wanted = (bool[])context.get_data(Wanted);
        return Return(context, without, saved =>
        {
            var sources = saved[..wanted.Length];
            return (is_grad_enabled() ? Differentiable(sources, output, direction) : gradients([.. sources.Zip(wanted, Leaf), .. saved[wanted.Length..]]))
                .ConvertAll(gradient => gradient?.DetachFromDisposeScope());
        });
    }

    /// <summary>
    /// Returns gradients after the arguments that have none. An exception that left a backward method through the native engine would end the process: it is kept in
    /// <see cref="BackwardPass.Failure"/>, and what is returned makes the engine throw. Where there is one backward pass, what was saved is freed: the engine does not do it before
    /// the whole graph is gone.
    /// </summary>
    /// <param name="context">Of the function, after <see cref="Save"/>.</param>
    /// <param name="without">How many arguments before the tensors have no gradients.</param>
    /// <param name="gradients">Makes those of the sources from what was saved, outside of every dispose scope; <see langword="null"/> for those that need none.</param>
    public static List<Tensor> Return(autograd.AutogradContext context, int without, Func<List<Tensor>, List<Tensor?>> gradients)
    {
        List<Tensor?> found;
        BackwardPass.Failure = null;
        try
        {
            using var scope = NewDisposeScope();
            using var unkept = WeightCache.Leave(); // what is prepared of saved tensors serves this pass alone
            found = gradients(context.get_saved_variables());
        }
        catch (Exception error)
        {
            BackwardPass.Failure ??= error; // what failed first, where one function is run again within another
            found = [.. ((bool[])context.get_data(Wanted)).Select(wanted => wanted ? tensor(float.NaN).DetachFromDisposeScope() : null)]; // a shape that the engine refuses but for a single number, which is NaN then
        }

        if ((bool)context.get_data(Once))
        {
            context.Dispose();
        }

        var last = t_last;
        t_last = found;
        last?.ForEach(gradient => gradient?.Dispose());
        return [.. Enumerable.Repeat<Tensor>(null!, without), .. found.Select(gradient => gradient!)];
    }

    private static Tensor Leaf(Tensor source, bool wanted) => source.detach().requires_grad_(wanted);

    private static List<Tensor?> Differentiable(List<Tensor> sources, Func<List<Tensor>, Tensor> output, Tensor direction)
    {
        var gradients = new Queue<Tensor>(GraphGradients.DifferentiableOf([output(sources)], [.. sources.Where(source => source.requires_grad)], direction));
        return [.. sources.Select(source => source.requires_grad ? gradients.Dequeue() : null)];
    }
}
