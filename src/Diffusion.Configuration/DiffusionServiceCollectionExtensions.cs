using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Diffusion.Configuration;

/// <summary>Registers a diffusion run with an application's services.</summary>
public static class DiffusionServiceCollectionExtensions
{
    /// <summary>Makes <see cref="RunOptions"/> available as <c>IOptions&lt;RunOptions&gt;</c>, bound from configuration and checked as a whole when first read.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section that holds data, model, diffusion, training and sampling.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddDiffusion(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions();
        services.AddSingleton<IOptionsFactory<RunOptions>>(_ => new BoundOptions(configuration));
        return services;
    }

    private sealed class BoundOptions(IConfiguration configuration) : IOptionsFactory<RunOptions>
    {
        public RunOptions Create(string name) => RunConfiguration.Bind(configuration);
    }
}
