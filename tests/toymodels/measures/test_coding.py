"""Which neurons code which features, on matrices whose code is plain."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.measures.coding import coding, stack_order

# Neuron 0 codes nothing, 1 feature 2, 2 and 3 share features 0, 1 and 3 by three codes of signs.
W = np.array(
    [
        [0.2, 0.0, -0.2, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.1, 0.0],
        [0.9, 0.8, 0.0, -0.7, 0.2],
        [0.9, -0.8, 0.0, 0.7, 0.0],
    ]
)


def test_groups_are_what_weights_above_the_threshold_link():
    found = coding(W)
    np.testing.assert_array_equal(found.monosemantic, [False, True, False, False])
    np.testing.assert_array_equal(found.polysemantic, [False, False, True, True])
    np.testing.assert_array_equal(found.coded, [True, True, True, True, False])
    assert [(g.neurons, g.features) for g in found.groups] == [((2, 3), (0, 1, 3)), ((1,), (2,))]
    assert found.signs(found.groups[0]) == ((1, 1), (1, -1), (-1, 1))


def test_a_lower_threshold_links_more():
    assert [len(g.features) for g in coding(W, 0.15).groups] == [5]
    assert coding(W, 2.0).groups == ()
    assert not coding(np.zeros((2, 3))).coded.any()


def test_stacks_stand_by_kind_then_first_feature_then_weight():
    np.testing.assert_array_equal(stack_order(W), [1, 2, 3, 0])
    np.testing.assert_array_equal(stack_order(W[::-1]), [2, 0, 1, 3])  # equal: as they come
    np.testing.assert_array_equal(stack_order(np.eye(3)[[2, 0, 1]]), [1, 2, 0])
    np.testing.assert_array_equal(stack_order([[0.5, 0.4], [0.6, 0.4]]), [1, 0])


def test_a_model_that_diverged_has_no_code():
    with pytest.raises(InputError, match="diverged"):
        coding([[np.nan, 1.0]])
