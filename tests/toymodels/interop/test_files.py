"""Files: what is read, what never is, and what is said of a damaged one."""

import io
import json
import pickle
import zipfile

import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.interop import read
from toymodels.interop.files import save

W = np.arange(6, dtype=np.float32).reshape(2, 3)


def torch_zip():
    """A file as torch.save writes it, under whatever name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return file.getvalue()


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.bin", "m.npz", "m.safetensors", "m"])
@pytest.mark.parametrize("content", [torch_zip(), pickle.dumps({"W": [1]}), b"anything"])
def test_a_pickle_is_never_loaded_and_one_line_converts_it(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(pickle, "loads", None)
    monkeypatch.setattr(pickle, "load", None)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refused:
        read(tmp_path / name)
    if content != b"anything" or name in ("m.pt", "m.pth", "m.bin"):
        assert "weights_only=True).items()}, 'm.safetensors')\"" in str(refused.value)
    else:
        assert "it begins like none of them" in str(refused.value)


def test_a_safetensors_file_whose_header_begins_as_a_pickle_is_read(tmp_path):
    """Its first byte is the length of the header, which may be 128."""
    safetensors = pytest.importorskip("safetensors.numpy")
    for n in range(200):
        content = safetensors.save({"W": W}, metadata={"a": "b" * n})
        if content[:1] == b"\x80":
            (tmp_path / "m.safetensors").write_bytes(content)
            np.testing.assert_array_equal(read(tmp_path / "m.safetensors").models[0].W, W)
            return
    raise AssertionError("no header of such a length")


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.safetensors"])
def test_a_truncated_file_is_named(tmp_path, name):
    path = tmp_path / name
    if name == "m.npy":
        np.save(path, W)
    else:
        pytest.importorskip("safetensors")
        save(path, {"W": W})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=f"{name} cannot be read"):
        read(path)


def test_a_file_of_objects_and_a_missing_one_are_refused(tmp_path):
    np.save(tmp_path / "m.npy", np.array([{}, 1], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "m.npy")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nothing.npy")
    with pytest.raises(InputError, match="is a folder without any of sae_weights"):
        read(tmp_path)


def test_a_file_is_written_whole_and_to_a_known_ending(tmp_path):
    save(tmp_path / "new" / "m.npz", {"W": W.T})
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m.npz"]
    with pytest.raises(InputError, match=r"end it in \.npz or \.safetensors"):
        save(tmp_path / "m.txt", {"W": W})


def test_half_precision_of_torch_is_read(tmp_path):
    """bfloat16 is a number type of JAX's, and none of numpy's."""
    pytest.importorskip("safetensors")
    values = np.asarray(jnp.asarray(W, jnp.bfloat16)).tobytes()
    about = {"W": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, len(values)]}}
    header = json.dumps(about).encode()
    content = len(header).to_bytes(8, "little") + header + values
    (tmp_path / "m.safetensors").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "m.safetensors").models[0].W, W)
