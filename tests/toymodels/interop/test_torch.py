"""With torch: its modules load what we write, strictly, and what it saves is read. Else skipped."""

import json
import subprocess
import sys

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.interop import read, write
from toymodels.models import ReluAutoencoder, UntiedAutoencoder

torch = pytest.importorskip("torch")
tensors = pytest.importorskip("safetensors.torch")

RNG = np.random.default_rng(1)
W, V, B = (RNG.normal(size=s).astype(np.float32) for s in ((2, 5), (5, 2), (5,)))
X = RNG.uniform(size=(4, 5)).astype(np.float32)


class TwoLayers(torch.nn.Module):
    """A bottleneck of two linear layers, as SPD and devinterp name them."""

    def __init__(self, first, second, tied=False):
        super().__init__()
        self.names = first, second
        setattr(self, first, torch.nn.Linear(5, 2, bias=False))
        setattr(self, second, torch.nn.Linear(2, 5))
        if tied:
            getattr(self, second).weight.data = getattr(self, first).weight.data.T

    def forward(self, x):
        encode, decode = (getattr(self, name) for name in self.names)
        return torch.relu(decode(encode(x)))


class Instances(torch.nn.Module):
    """One tied model for each instance, as in the authors' notebook and in ARENA."""

    def __init__(self, equation, shape):
        super().__init__()
        self.equation = equation
        self.W = torch.nn.Parameter(torch.zeros(shape))
        self.b_final = torch.nn.Parameter(torch.zeros(1, 5))

    def forward(self, x):
        encode, decode = self.equation
        h = torch.einsum(encode, x[:, None], self.W)
        return torch.relu(torch.einsum(decode, h, self.W) + self.b_final)[:, 0]


TIED, UNTIED = ReluAutoencoder(W=W, b=B), UntiedAutoencoder(W=W, V=V, b=B)
NOTEBOOK = ("bif,ifh->bih", "bih,ifh->bif"), (1, 5, 2)
ARENA = ("bif,ihf->bih", "bih,ihf->bif"), (1, 2, 5)
MODULES = {
    "notebook": (lambda: Instances(*NOTEBOOK), TIED),
    "arena": (lambda: Instances(*ARENA), TIED),
    "spd": (lambda: TwoLayers("linear1", "linear2"), UNTIED),
    "devinterp": (lambda: TwoLayers("embedding", "unembedding"), UNTIED),
}


@pytest.mark.parametrize("layout", MODULES)
def test_a_module_of_the_other_program_loads_our_file_and_answers_alike(tmp_path, layout):
    build, model = MODULES[layout]
    write(tmp_path / "m.safetensors", model, layout)
    module = build()
    module.load_state_dict(tensors.load_file(tmp_path / "m.safetensors"), strict=True)
    theirs = module(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(theirs, np.stack([model(x) for x in X]), rtol=1e-5, atol=1e-6)


@pytest.mark.claims
def test_the_line_that_converts_a_pickle_converts_tied_weights_too(tmp_path):
    """Tied weights share memory, which safetensors refuses; the line in the message copies them."""
    module = TwoLayers("linear1", "linear2", tied=True)
    torch.save(module.state_dict(), tmp_path / "m.pt")
    with pytest.raises(InputError, match="is a pickle") as refused:
        read(tmp_path / "m.pt")
    line = str(refused.value).partition('python -c "')[2].removesuffix('"')
    subprocess.run([sys.executable, "-c", line], cwd=tmp_path, check=True)
    reading = read(tmp_path / "m.safetensors")
    assert (reading.layout, type(reading.models[0])) == ("spd", ReluAutoencoder)
    theirs = module(torch.tensor(X)).detach().numpy()
    ours = np.stack([reading.models[0](x) for x in X])
    np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)
    assert not (tmp_path / "m.safetensors.json").exists()
    assert json.dumps(reading.about) == "[{}]"
