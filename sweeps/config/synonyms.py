"""What others call our keys, or write where we do something else: the way out of an unknown key.

Names come from the authors' notebook, ARENA, neighbouring libraries, PyTorch, and habit.
"""

from toymodels.errors import hint

# Key of ours -> what it is called elsewhere, in lower case.
CALLED = {
    "learning_rate": "lr eta alpha step_size lr_max base_lr rate",
    "n_features": "n_feat n_feats num_features n_input n_inputs d_in in_dim input_dim f n nf",
    "n_hidden": (
        "hidden n_hidden_dims d_hidden hidden_dim hidden_dims hidden_size n_hid d_model d_mlp dim "
        "n_dims n_dim bottleneck m nh"
    ),
    "steps": "num_steps n_steps max_steps total_steps training_steps train_steps iterations iters"
    " n_iter n_iters num_iterations",
    "batch_size": "batch bs n_batch batchsize train_batch_size",
    "weight_decay": "wd decay l2",
    "optimizer": "optim optimiser opt optimizer_name",
    "schedule": "scheduler lr_schedule lr_scheduler lr_scale lr_decay",
    "p_active": (
        "density feature_probability feature_probabilities feature_prob probability prob p "
        "feat_prob activation_probability p_feature"
    ),
    "importance": "importances feature_importance feature_importances weights i",
    "init_scale": "init_std std sigma init_sigma weight_init initializer",
    "n_starts": "restarts n_restarts num_starts starts",
    "evaluation_size": "eval_size n_eval n_test test_size",
    "snapshots": "checkpoints save_at log_steps checkpoint_steps",
    "n_latents": "dict_size n_dict d_sae n_latent latents",
    "measures": "metrics metric",
    "penalties": "regularizers regularization penalty l1 l1_coef l1_coeff",
    "frozen": "freeze fixed",
    "n_circuits": "t circuits_total num_circuits",
    "width": "n_neurons neurons",
}

A_SEED = (
    "a seed is a model of its own, and an axis of the grid: seed = { range = 8 } under [grid], or "
    "grid.seed.range=8"
)
SPARSITY = "densities are given, not sparsities: write p_active = 1 - S (S = 0.9 is p_active = 0.1)"
SETS = (
    'write features = { kind = "correlated", n_sets = G } for G equal sets, or "anticorrelated"; '
    "all features are in sets"
)
ONE_BATCH = (
    "every step draws a fresh batch, so there are no epochs: give steps, the number of batches"
)

# What is done in another way -> how.
DONE = {
    "sparsity s sparsities feature_sparsity sparse": SPARSITY,
    "n_instances n_inst instances n_models num_instances": A_SEED,
    "n_seeds seeds num_seeds random_seed random_seeds rng manual_seed": A_SEED,
    "epochs n_epochs num_epochs max_epochs dataset_size n_samples_train": ONE_BATCH,
    "device gpu cuda accelerator": (
        "JAX takes the device that is there; choose another with the environment variable "
        "JAX_PLATFORMS=cpu"
    ),
    "dtype precision float64 x64": "training is in float32, and what needs more takes it itself",
    "n_correlated_pairs correlated n_correlated correlation": SETS,
    "n_anticorrelated_pairs anticorrelated n_anticorrelated": SETS,
    "activation act_fn act nonlinearity relu use_relu tied tied_weights tie_weights": (
        'what a model computes goes by its name: model = "relu" is tied, its decoder free in '
        "model = untied"
    ),
    "loss loss_fn criterion target labels": (
        "the loss goes by the task, whose error is squared and weighted by importance: task = "
        '"reconstruction" or "absolute_value", or your own as module:Name'
    ),
    "use_bias no_bias init_bias_to_zero bias_init": (
        'biases start at 0, and are trained unless frozen = ["b"]'
    ),
    "momentum_decay betas beta1 beta2": "Adam's moments are b1 and b2, SGD's is momentum",
    "verbose print_freq log_freq log_every eval_every plot": (
        "progress is shown and loss_curve kept anyway; snapshots = [0, 100] keeps the weights"
    ),
    "out output out_dir save_path save_dir": "give the folder as --out, or out= to Python",
}


def other_words(key: str) -> str:
    """Say what a key that is none of ours is called here, or how it is done; else nothing."""
    last = key.rpartition(".")[2].strip().lower().replace("-", "_")
    for ours, theirs in CALLED.items():
        if last in theirs.split():
            return f" It is called {ours} here."
    for theirs, how in DONE.items():
        if last in theirs.split():
            return f" {how[0].upper()}{how[1:]}."
    return ""


def way_out(key: str, known: list[str]) -> str:
    """Return what helps with an unknown key: what it is called here, or the nearest known one."""
    return other_words(key) or hint(key, known)
