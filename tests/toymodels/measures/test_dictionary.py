"""Scores of dictionaries, by cases that can be told by hand."""

import numpy as np
import pytest

from toymodels.measures.dictionary import random_directions, scores

TRUE = np.array([[1.0, -1.0, 0, 0], [0, 0, 1.0, -1.0]])  # two antipodal pairs


def test_the_true_directions_score_one_whatever_their_length_or_order():
    assert scores(3 * TRUE[:, ::-1], TRUE) == (1, 1, 1, 1)


def test_one_direction_of_each_pair_is_enough_for_blind_scores_alone():
    found = scores(TRUE[:, ::2], TRUE)
    assert found.signed == pytest.approx(0.5)  # the opposite has cosine 0 with the other pair
    assert found.unsigned == pytest.approx(1)
    assert (found.precision, found.recall) == (1, 0.5)


def test_a_direction_found_twice_is_matched_once():
    found = scores(np.repeat(TRUE[:, :1], 3, axis=1), TRUE[:, :1])
    assert found == (1, 1, pytest.approx(1 / 3), 1)


def test_dead_latents_and_dropped_features_are_left_out():
    padded = np.concatenate([TRUE, np.zeros((2, 3))], axis=1)
    assert scores(padded, padded) == (1, 1, 1, 1)
    assert scores(np.zeros((2, 3)), TRUE) == (0, 0, 0, 0)


def test_cosines_below_the_threshold_do_not_match():
    angle = np.deg2rad(30)
    turned = [[np.cos(angle)], [np.sin(angle)]]
    assert scores(turned, TRUE[:, :1]).recall == 0
    assert scores(turned, TRUE[:, :1], matched=0.8).recall == 1


def test_random_directions_are_units_and_find_what_their_number_allows():
    rng = np.random.default_rng(0)
    floor = scores(random_directions(rng, 20, 40), random_directions(rng, 20, 40))
    assert 0.3 < floor.signed < floor.unsigned < 0.6
    assert floor.recall == 0
