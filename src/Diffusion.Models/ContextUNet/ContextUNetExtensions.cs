namespace Diffusion.Models;

/// <summary>Networks with a context out of the blocks of <see cref="UNetBuilder"/>.</summary>
public static class ContextUNetExtensions
{
    /// <summary>
    /// Checks the whole block list, then makes a network that takes a context. Each block with attention has transformers that attend to the
    /// image and to the context, with the heads that the block says.
    /// </summary>
    /// <param name="builder">The blocks.</param>
    /// <param name="context">The context.</param>
    /// <param name="seed">The seed of the initial weights; 0 by default.</param>
    /// <returns>The network, on the CPU.</returns>
    /// <exception cref="ArgumentException">The blocks do not fit together, no block has attention, or there are labels; the message lists every mistake.</exception>
    public static ContextUNet BuildWithContext(this UNetBuilder builder, ContextOptions context, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(context);
        context.ThrowIfInvalid();
        var options = builder.Options;
        options.ThrowIfInvalid();
        if (options.Dialect.Labels is not null)
        {
            throw new ArgumentException($"A network with a context takes no labels; {nameof(UNetDialect)}.{nameof(UNetDialect.Labels)} is {options.Dialect.Labels}.", nameof(builder));
        }

        var plan = UNetPlan.Of(options);
        return plan.Down.Concat(plan.Mid).Concat(plan.Up).Any(block => block.Attentions > 0)
            ? new ContextUNet(options, context, seed)
            : throw new ArgumentException("No block has attention: the context would have no effect.", nameof(builder));
    }
}
