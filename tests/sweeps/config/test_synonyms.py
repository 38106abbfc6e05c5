"""What a newcomer would type is answered with what it is called here, or how it is done."""

import pytest

from sweeps.config.parse import parse
from sweeps.config.schema import every_key
from sweeps.config.synonyms import CALLED, DONE, other_words
from toymodels.errors import InputError

TABLE = {"name": "x", "model": "relu", "n_features": 5, "n_hidden": 2}
ANSWERS = {
    "lr": "It is called learning_rate here.",
    "d_hidden": "It is called n_hidden here.",
    "n_hidden_dims": "It is called n_hidden here.",
    "num_steps": "It is called steps here.",
    "bs": "It is called batch_size here.",
    "wd": "It is called weight_decay here.",
    "optim": "It is called optimizer here.",
    "feature_probability": "It is called p_active here.",
    "p": "It is called p_active here.",
    "sparsity": "write p_active = 1 - S",
    "S": "write p_active = 1 - S",
    "n_instances": "seed = { range = 8 }",
    "seeds": "seed = { range = 8 }",
    "epochs": "give steps",
    "device": "JAX_PLATFORMS=cpu",
    "tied": 'model = "relu" is tied',
    "n_correlated_pairs": 'kind = "correlated"',
}


@pytest.mark.parametrize("key", ANSWERS)
def test_a_key_of_another_library_is_answered_with_ours(key):
    for given in ({key: 1}, {"grid": {key: [1, 2]}}):
        with pytest.raises(InputError) as error:
            parse(TABLE | given)
        assert ANSWERS[key] in str(error.value)


def test_a_key_inside_a_table_is_answered_as_well():
    with pytest.raises(InputError, match="p_active = 1 - S"):
        parse(TABLE | {"features": {"sparsity": 0.9}})


def test_a_typo_of_ours_is_still_told_the_nearest_key():
    with pytest.raises(InputError, match="Did you mean 'learning_rate'"):
        parse(TABLE | {"learning_rat": 0.1})


def test_no_word_for_a_key_is_a_key_itself_or_stands_twice():
    words = [word for theirs in (*CALLED.values(), *DONE) for word in theirs.split()]
    assert len(words) == len(set(words))
    assert not set(words) & set(every_key())
    assert set(CALLED) - {"p_active"} <= set(every_key())
    assert other_words("steps") == ""
