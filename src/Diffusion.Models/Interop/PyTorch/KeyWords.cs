namespace Diffusion.Models;

/// <summary>What the words of a key say about its value: training scripts keep the states of optimizers, schedules and generators of random numbers under such names.</summary>
internal static class KeyWords
{
    private static readonly string[] s_optimizer = ["opt", "optim", "optims", "optimizer", "optimizers"];

    private static readonly string[] s_other =
    [
        "scheduler", "schedulers", "sampler", "samplers", "rng", "rngs", "random", "scaler", "scalers", "metric", "metrics", "loss", "losses", "arg", "args", "dataloader", "dataloaders",
        "callback", "callbacks", "loop", "loops", "hparams", "cfg", "config",
    ];

    // Words that say nothing by themselves.
    private static readonly string[] s_neutral = ["state", "states", "dict", "dicts", "lr", "grad", "g", "d", "hyper", "parameters"];

    /// <summary>What is under a key.</summary>
    public static KeyMeaning Of(string key)
    {
        if (key.Equals("hyper_parameters", StringComparison.OrdinalIgnoreCase))
        {
            return KeyMeaning.Other;
        }

        var words = Split(key);
        var told = words.Exists(s_optimizer.Contains) ? KeyMeaning.Optimizer : words.Exists(s_other.Contains) ? KeyMeaning.Other : KeyMeaning.Any;
        return told != KeyMeaning.Any && words.TrueForAll(word => s_optimizer.Contains(word) || s_other.Contains(word) || s_neutral.Contains(word)) ? told
            : told == KeyMeaning.Any ? KeyMeaning.Any
            : KeyMeaning.Perhaps;
    }

    /// <summary>Whole words, in small letters: at what is no letter, and where a capital follows a small letter.</summary>
    private static List<string> Split(string key)
    {
        var words = new List<string>();
        var start = 0;
        for (var i = 0; i <= key.Length; i++)
        {
            var isEnd = i == key.Length || !char.IsLetter(key[i]);
            if (isEnd || (i > start && char.IsUpper(key[i]) && char.IsLower(key[i - 1])))
            {
                if (i > start)
                {
                    words.Add(key[start..i].ToLowerInvariant());
                }

                start = isEnd ? i + 1 : i;
            }
        }

        return words;
    }
}
