"""Every public function refuses what is wrong, by name, and takes what is right in any form.

The calls are in `tests/border.py`; a new function that is missing there fails here.
"""

import json
import os
import subprocess
import sys

import border
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from builders import ROOT

from toymodels import checks, exact, theory
from toymodels.circuits import prime_steps
from toymodels.errors import InputError
from toymodels.geometry import n_represented

# Tried elsewhere, or called with what another function has checked.
ELSEWHERE = {
    "follow_cut": "tests/toymodels/exact/test_cuts.py; its inputs are records",
    "follow_branch": "the same",
    "slope": "tests/toymodels/exact/test_branches.py; of a branch that was followed",
    "solve": "tests/toymodels/exact/test_solver.py",
    "resolve_with_neighbours": "tests/toymodels/exact/test_neighbours.py; of a solution",
    "packing": "tests/toymodels/exact/test_packing.py; of a shape",
    "joined_name": "of components",
    "name_components": "of components",
    "shape_of": "of components",
    "ideals": "the number of a component's features",
    "active_rotations": "draws of a generator",
    "random_directions": "draws of a generator",
    "finite_columns": "is a check itself",
    "norms_and_directions": "of a matrix that was checked",
    "n_terms": "of sizes that were checked",
    "outputs_together": "the same",
    "mean_over_square": "a term of `expected_loss`",
    "settle": "a step of `branches`",
    "branch_of": "the same",
    "follow_both": "the same",
    "branches": "tests/toymodels/exact/test_pentagon_digon.py",
    "thresholds": "the same",
    "random_ends": "the same",
    "descend_from_random": "the same",
    "on_branch": "the same",
    "power_loss": "tests/toymodels/theory/test_power_loss.py",
    "score_of_network": "tests/toymodels/theory/test_compressed_computation.py",
    "score_naive": "the same",
    "score_linear": "the same",
    "score_least": "the same",
    "simplex": "a shape of so many corners, as `arrangements` counts them",
    "polygon": "the same",
    "shuffled_layers": "a step of `draw_embedding`",
    "check_circuits": "a step of `custom_circuits`",
    "absorbed_noise": "the same",
    "noise_growth": "the same",
    "relu_gating": "of a network's own arrays",
    "ideal_gating": "the same",
}
INSIDE = ("circuits.examples", "circuits.network", "circuits.simulation", "circuits.small_circuits")
INSIDE += ("circuits.constructions.block_structured", "circuits.constructions.random_embedding")
INSIDE += ("circuits.constructions.universal_and",)
"""Modules of which only what the package exports, and what builds, is tried."""


def test_every_public_function_is_tried():
    tried = {name for functions in border.RIGHT.values() for name in functions}
    exports = ("exact", "geometry", "polytopes", "theory", "circuits")
    modules = [module for module in border.RIGHT if module not in INSIDE]
    public = {n for module in (*exports, *modules) for n in border.public_functions(module)}
    assert not public - tried - ELSEWHERE.keys()
    assert not ELSEWHERE.keys() & tried


def test_what_is_wrong_is_refused_by_name():
    """Not one number comes back, and no error is one of numpy's or JAX's."""
    passed, n = [], 0
    for f, argument, what, inputs in border.wrong():
        n += 1
        try:
            found = f(**inputs)
        except InputError as error:
            if not border.names(str(error), argument):
                passed.append((f, argument, what, str(error)))
        except Exception as error:
            passed.append((f, argument, what, repr(error)))
        else:
            passed.append((f, argument, what, found))
    assert n > 2000
    assert not passed


@pytest.mark.claims
def test_numbers_are_the_same_in_any_form():
    """Lists, JAX's, labelled and whole numbers."""
    apart = []
    for module, name, inputs in border.quick():
        f, right = border.function(module, name), border.plain(inputs)
        wanted = border.outcome(f(**right))
        for argument, value in right.items():
            for same in border.alike(value):
                found = border.outcome(f(**right | {argument: same}))
                if not border.close(found, wanted, 1e-6):
                    apart.append((name, argument, type(same)))
    assert not apart


def test_columns_and_densities_in_percent_gave_these_numbers_without_a_word():
    """And this is the right one, Σ I_i E[(x_i - y_i)²] by hand: (1 + 0.5) p² / 6."""
    right = exact.expected_loss([[1, -1]], [0, 0], 0.3, [1, 0.5])
    assert float(right) == pytest.approx(0.0225, rel=1e-6)
    for importance, p, message in (
        ([[1], [0.5]], 0.3, r"importance .* shape \(2,\), .* got shape \(2, 1\)"),
        ([1, 0.5], 30, "p_active must lie in .0, 1., got 30.0; it is the density"),
    ):
        with pytest.raises(InputError, match=message):
            exact.expected_loss([[1, -1]], [0, 0], p, importance)
    with pytest.raises(InputError, match=r"b must have shape \(1,\)"):
        exact.expected_loss([[1], [-1]], [0, 0], 0.3, 1.0)  # features × hidden


def test_labelled_arrays_of_different_axes_are_not_paired_by_position():
    p, r = xr.DataArray([0.1, 0.2], dims="p"), xr.DataArray([1.0, 2.0], dims="r")
    with pytest.raises(InputError, match=r"p_active has \('p',\).*xarray.broadcast"):
        theory.phase_losses_2_1(p, r)
    broadcast = xr.broadcast(p, r)
    np.testing.assert_array_equal(
        theory.phase_label_2_1(*broadcast), theory.phase_label_2_1(p.values[:, None], r.values)
    )
    assert theory.boundary_2_1(r).shape == (2,)


def test_of_what_is_traced_only_the_shape_is_checked():
    W, b, p = jnp.array([[1.0, -1.0]]), jnp.zeros(2), jnp.array([0.3, 30.0])
    shapes = jax.eval_shape(jax.vmap(lambda p: exact.expected_loss(W, b, p, 1.0)), p)
    assert shapes.shape == (2,)
    column = jnp.ones((2, 1))
    with pytest.raises(InputError, match="importance must be a number or"):
        jax.eval_shape(lambda weight: exact.expected_loss(W, b, 0.3, weight), column)
    jax.eval_shape(lambda limit: n_represented(W, limit), 0.5)
    with pytest.raises(InputError, match="p_active is traced"):
        jax.eval_shape(theory.loss_drop_other, 0.5)


def test_a_mistake_costs_no_compilation():
    def never(*_):
        raise AssertionError("it was compiled")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toymodels.exact.expected._loss_of_outputs", never)
        with pytest.raises(InputError):
            exact.expected_loss([[1, -1]], [0, 0], 0.3, [[1], [0.5]])


def test_messages_show_what_came_and_what_is_allowed():
    for call, message in (
        (lambda: checks.count("n", 2.5), "n = 2.5: give a whole number, 1 or more."),
        (lambda: checks.count("n", 9, 1, 4), "n = 9: give a whole number, from 1 to 4."),
        (lambda: checks.number("x", [1, 2]), r"x has shape \(2,\): give one number."),
        (lambda: checks.number("x", -1, 0), "x = -1.0: give a finite number, 0 or more."),
        (lambda: checks.numbers("x", ["a"] * 99), r"x = \['a'.*\.\.\.: give real numbers."),
        (lambda: prime_steps(4, 4, 9), "redundancy = 9 is not possible with n_copies = 4"),
    ):
        with pytest.raises(InputError, match=message):
            call()


@pytest.mark.claims
def test_float64_agrees_with_float32():
    """All right calls again, in a process of their own with JAX_ENABLE_X64=1."""
    wide = subprocess.run(
        [sys.executable, "-m", "border"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT / "tests",
        env=os.environ | {"JAX_ENABLE_X64": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests"},
    )
    assert wide.returncode == 0, wide.stderr
    found = json.loads(wide.stdout)
    here = border.all_outcomes()
    assert found.keys() == here.keys()
    assert not [name for name in here if not border.close(found[name], here[name], 1e-5)]
