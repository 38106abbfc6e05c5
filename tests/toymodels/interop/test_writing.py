"""Writing for other programs: the sidecar, and what a layout cannot hold."""

import json

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.interop import write
from toymodels.models import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder

W, B = np.ones((2, 3), np.float32), np.zeros(3, np.float32)
TIED, UNTIED = ReluAutoencoder(W=W, b=B), UntiedAutoencoder(W=W, V=2 * W.T, b=B)


def test_a_sidecar_says_what_is_in_the_file(tmp_path):
    about = {"p_active": np.float32(0.5), "importance": np.ones(3), "loss": 0.1, "seed": 4}
    files = write(tmp_path / "m.npz", TIED, "arena", about)
    assert [f.name for f in files] == ["m.npz", "m.npz.json"]
    said = json.loads(files[1].read_text())
    assert said["layout"] == "arena"
    assert said["toymodels"]
    assert said["models"] == [{"p_active": 0.5, "importance": [1, 1, 1], "loss": 0.1, "seed": 4}]


@pytest.mark.parametrize(
    ("models", "layout", "told"),
    [
        (UNTIED, "notebook", "no place for a UntiedAutoencoder"),
        (LinearAutoencoder(W=W, b=B), "spd", "no place for a LinearAutoencoder"),
        ([TIED, TIED], "spd", "spd holds one model, here are 2"),
        ([TIED, UNTIED], "toymodels", "models of 2 classes"),
        ([TIED, ReluAutoencoder(W=W[:1], b=B)], "notebook", "different sizes"),
        ([], "notebook", "0 models"),
        (TIED, "laptop", "no layout 'laptop'"),
        (TIED, "sae-lens", "say with which density"),
    ],
)
def test_what_a_layout_cannot_hold_is_refused(tmp_path, models, layout, told):
    with pytest.raises(InputError, match=told):
        write(tmp_path / ("folder" if layout == "sae-lens" else "m.npz"), models, layout)
