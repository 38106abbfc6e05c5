"""Write figures/circuits/loss_exponent_full.json: `python tests/data/make_loss_exponent_full.py`.

Compressed computation at full size, y = V ReLU(W x), F = 100, N = 50, by the power q of its error.
It took 4 minutes of one H100 and would take days without a GPU. Nothing of the project is used, so
that the kept numbers are a check of it: plain batches, plain Adam, all models side by side, float32
products. First from scratch at each power, 100,000 steps; then the models of q = 2 go on as q rises
and those of q = 4 as it falls, 16,000 steps at each power (in the file that is kept, 12,500 at the
second of each way).
"""

import functools
import json
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

FILE = Path(__file__).parents[2] / "figures" / "circuits" / "loss_exponent_full.json"

F, N, P, SEEDS, BATCH, RATE = 100, 50, 0.02, 5, 8192, 1e-2
STEPS, STEPS_ON_A_WAY, CHUNK = 100_000, 16_000, 500
POWERS = [1.9, 2, 2.01, 2.02, 2.03, 2.05, 2.1, 2.2, 2.5, 4]
UP = [2, 2.005, 2.01, 2.015, 2.02, 2.025, 2.03, 2.04, 2.05, 2.07, 2.1, 2.5]
DOWN = [2.5, 2.1, 2.07, 2.05, 2.04, 2.03, 2.025, 2.02, 2.015, 2.01, 2.005, 2, 1.95, 1.9]

jax.config.update("jax_default_matmul_precision", "highest")


def examples(key):
    """Draw a batch for each seed, `[S, F, B]`."""
    u = jax.random.uniform(key, (SEEDS, F, BATCH))
    return jnp.where(u < P, 2 * u / P - 1, 0.0)


def hidden_and_error(W, V, x):
    """Return neurons and errors of `W [S, Q, N, F]`, `V [S, Q, F, N]` on `x [S, F, B]`."""
    h = jax.nn.relu(jnp.einsum("sqnf,sfb->sqnb", W, x))
    return h, jnp.einsum("sqfn,sqnb->sqfb", V, h) - jax.nn.relu(x)[:, None]


def gradients(W, V, q, x):
    """Return the gradients of the mean error over p, by hand; `q [Q]`."""
    h, e = hidden_and_error(W, V, x)
    q = q[None, :, None, None]
    slope = jnp.sign(e) * jnp.exp2((q - 1) * jnp.log2(jnp.abs(e) + 1e-20)) * (q / (BATCH * P))
    at_hidden = jnp.where(h > 0, jnp.einsum("sqfn,sqfb->sqnb", V, slope), 0.0)
    dW = jnp.einsum("sqnb,sfb->sqnf", at_hidden, x)
    return dW, jnp.einsum("sqfb,sqnb->sqfn", slope, h)


@functools.partial(jax.jit, donate_argnums=0)
def chunk(state, q, key, first, total):
    """Take some steps of Adam, its rate on a cosine to 0."""

    def body(i, state):
        weights, m, v = state
        t = first + i
        g = gradients(*weights, q, examples(jax.random.fold_in(key, t)))
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * t / total))
        c, d = 1 - 0.9 ** (t + 1.0), 1 - 0.999 ** (t + 1.0)
        weights = jax.tree.map(
            lambda w, a, b: w - rate * (a / c) / (jnp.sqrt(b / d) + 1e-8), weights, m, v
        )
        return weights, m, v

    return jax.lax.fori_loop(0, CHUNK, body, state)


def train(weights, q, steps, seed):
    """Return the weights after so many steps."""
    state = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)))
    for first in range(0, steps, CHUNK):
        state = chunk(state, jnp.float32(q), jax.random.key(seed), first, float(steps))
    return state[0]


@jax.jit
def active_errors(weights):
    """Return E[(y_i - x_i)² | x_i > 0] of every feature, `[S, Q, F]`."""

    def body(i, sums):
        x = examples(jax.random.fold_in(jax.random.key(999), i))
        x = jnp.broadcast_to(x[:1], x.shape)
        on = (x > 0)[:, None]
        e = hidden_and_error(*weights, x)[1]
        return sums[0] + jnp.sum(jnp.where(on, e * e, 0), 3), sums[1] + jnp.sum(on, 3)

    start = (jnp.zeros((*weights[0].shape[:2], F)), jnp.zeros((SEEDS, 1, F), int))
    total, n = jax.lax.fori_loop(0, 30, body, start)
    return total / n


def rows(ways, powers, steps, weights):
    """Return what is kept of models, a row for each power."""
    errors = np.asarray(active_errors(weights), np.float64)
    mean, spread = errors.mean(-1), errors.std(-1) / errors.mean(-1)
    return [
        {"way": way, "exponent": q, "steps": steps}
        | {"mse": mean[:, k].round(5).tolist(), "spread": spread[:, k].round(4).tolist()}
        for k, (way, q) in enumerate(zip(ways, powers, strict=True))
    ]


def main():
    """Train, and write what was found."""
    start, keys = time.time(), jax.random.split(jax.random.key(0))
    shape = (SEEDS, len(POWERS))
    W = jax.random.normal(keys[0], (*shape, N, F)) * (2 / F) ** 0.5
    V = jax.random.normal(keys[1], (*shape, F, N)) * (2 / N) ** 0.5
    weights = train((W, V), POWERS, STEPS, 1)
    found = rows(["scratch"] * len(POWERS), POWERS, STEPS, weights)
    ends = jnp.array([POWERS.index(2), POWERS.index(4)])
    both = tuple(w[:, ends] for w in weights)
    for i, down in enumerate(DOWN):
        up = UP[min(i, len(UP) - 1)]
        both = train(both, [up, down], STEPS_ON_A_WAY, 10 + i)
        pair = rows(["up", "down"], [up, down], STEPS_ON_A_WAY, both)
        found += pair if i < len(UP) else pair[1:]
    about = {
        "about": "Compressed computation at full size, on one GPU: from scratch, then going on "
        "while the power rises or falls. Made by tests/data/make_loss_exponent_full.py.",
        "date": time.strftime("%Y-%m-%d"),
        "device": jax.devices()[0].device_kind,
        **{"n_features": F, "n_hidden": N, "p_active": P, "batch_size": BATCH},
        **{"learning_rate": RATE, "seeds": SEEDS, "seconds": round(time.time() - start)},
    }
    text = json.dumps(about, indent=1).removesuffix("\n}") + ',\n "rows": [\n  '
    text += ",\n  ".join(map(json.dumps, found)) + "\n ]\n}\n"
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
