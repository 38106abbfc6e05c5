"""Read-outs of ANDs: what is fitted is least, and nothing comes below the bound."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.and_read_outs import (
    ands_of,
    balanced_error,
    examples_of_and,
    fitted_read_out,
    least_error,
    own_read_out,
    with_one,
)
from toymodels.circuits.constructions.universal_and import neurons, read_and, universal_and
from toymodels.errors import InputError
from toymodels.tasks.universal_and import pairs

KEY = jax.random.key(0)


def test_all_examples_are_given_where_they_are_few_and_random_ones_else():
    every = examples_of_and(KEY, 6, 3)
    assert every.shape == (6, 20)
    assert len(np.unique(every, axis=1).T) == 20
    some = examples_of_and(KEY, 6, 3, most=7)
    assert some.shape == (6, 7)
    assert np.all(some.sum(0) == 3)


def test_the_own_read_out_as_a_matrix_reads_what_the_construction_reads():
    gate = universal_and(KEY, 7, 9, 3)
    features = examples_of_and(KEY, 7, 3)
    h = neurons(gate, features)
    first, second = (np.broadcast_to(of, (h.shape[1], 21)) for of in pairs(7))
    expected = np.nan_to_num(read_and(gate, h, first, second)).T
    np.testing.assert_allclose(own_read_out(gate) @ with_one(h), expected, atol=1e-6)


def test_a_fitted_read_out_errs_least():
    """Its error is balanced, and any other read-out's is larger."""
    features = examples_of_and(KEY, 7, 3)
    truth, h = ands_of(features), neurons(universal_and(KEY, 7, 5, 3), features)
    V = fitted_read_out(h, truth)

    def error(read_out):
        return np.mean(balanced_error(read_out @ with_one(h), truth))

    rng = np.random.default_rng(0)
    steps = rng.normal(size=(20, *V.shape)).astype(np.float32)
    assert all(error(V + 1e-2 * step) > error(V) for step in steps)


@pytest.mark.parametrize("n_active", [2, 3, 4])
def test_no_network_errs_less_than_the_bound(n_active):
    features = examples_of_and(KEY, 8, n_active)
    truth, rng = ands_of(features), np.random.default_rng(0)
    for n in (3, 8, 14):
        bound = least_error(8, n_active, n)
        for _ in range(4):
            W, c = rng.normal(size=(n, 8)), rng.normal(size=(n, 1))
            h = np.maximum(W @ features + c, 0).astype(np.float32)
            found = np.mean(balanced_error(fitted_read_out(h, truth) @ with_one(h), truth))
            assert found >= bound * (1 - 1e-4)
            if (n, n_active) == (14, 2):  # any neurons come close
                assert found < 2 * bound


def test_the_bound_is_that_of_the_truths_own_eigenvalues():
    truth = ands_of(examples_of_and(KEY, 8, 4)).astype(np.float64)
    total = np.linalg.eigvalsh(truth @ truth.T / truth.shape[1])[::-1][:12].sum()
    k = (6**2 / total - 6) / (28 - 6)
    assert least_error(8, 4, 11) == pytest.approx(k / (2 + 2 * k), rel=1e-9)
    assert least_error(8, 4, 27) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "sizes", "told"),
    [
        (least_error, (8, 8, 3), "n_active = 8 of 8"),
        (least_error, (3, 2, 3), "n_features = 3"),
        (least_error, (8, 2.5, 3), "n_active = 2.5"),
        (least_error, (8, 2, 0), "n_neurons = 0"),
        (examples_of_and, (KEY, 8, 1), "n_active = 1"),
        (examples_of_and, (KEY, 8, 9), "n_active = 9"),
        (examples_of_and, (KEY, 8, 2, 0), "most = 0"),
        (examples_of_and, (0, 8, 4, 2), "key"),
    ],
)
def test_sizes_that_are_not_possible_are_refused(function, sizes, told):
    with pytest.raises(InputError, match=told):
        function(*sizes)
