"""How all tests run: JAX refuses to broadcast ranks, pictures are drawn as the command draws them.

What tests build is in `builders`.
"""

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def paper_style():
    """Draw as the command does, and leave no figure open."""
    import matplotlib.pyplot as plt

    from figures.kit import style

    with plt.rc_context(style.paper()):
        yield
    plt.close("all")
