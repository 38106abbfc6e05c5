"""How all tests run: JAX refuses to broadcast ranks, pictures are drawn as the command draws them.

What tests build is in `builders`.
"""

import jax
import pytest
from full_claims import Record

jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_addoption(parser):
    words = "keep how the tests marked claims_full went (make claims-full)"
    parser.addoption("--record", metavar="FILE", help=words)


def pytest_configure(config):
    path = config.getoption("--record")
    if path and not hasattr(config, "workerinput"):  # the one that hears all workers
        config.pluginmanager.register(Record(path, config.rootpath))


@pytest.fixture
def paper_style():
    """Draw as the command does, and leave no figure open."""
    import matplotlib.pyplot as plt

    from figures.kit import style

    with plt.rc_context(style.paper()):
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def compile_cache(tmp_path_factory):
    """Give the environment in which what one child compiles serves the next."""
    folder = str(tmp_path_factory.mktemp("compiled"))
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
