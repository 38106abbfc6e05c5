"""Other people's files: models in and out, in the layouts of the programs that people use.

    from toymodels import interop

    reading = interop.read("toy.safetensors")         # the layout is recognised, or named
    interop.write("mine.npz", model, "notebook", {"p_active": 0.1})

One file for each layout, one line for each in `layouts`. A torch pickle is never loaded.
"""

from toymodels.interop.activations import activations
from toymodels.interop.base import Layout, Reading
from toymodels.interop.layouts import LAYOUTS
from toymodels.interop.reading import read
from toymodels.interop.writing import write

__all__ = ["LAYOUTS", "Layout", "Reading", "activations", "read", "write"]
