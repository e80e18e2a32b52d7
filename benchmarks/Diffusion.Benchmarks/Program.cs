using Diffusion.Benchmarks;

return Verbs.Run(args);
