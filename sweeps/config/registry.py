"""The one list of names that a config may use: key -> name -> where it is, one line for each thing.

The first name of a key is its default, where there is one. The keys that a thing takes are the
parameters of its `create` (`start` of a model), or of the thing itself; parameters that are keys
of this list are other things. A name with a colon, "my_module:MyModel", is one of your own.
"""

import importlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

from toymodels.errors import InputError, hint, listed

NAMES: dict[str, dict[str, str]] = {
    "work": {
        "train": "sweeps.work.train:TRAIN",
        "solve": "sweeps.work.solve:SOLVE",
        "simulate": "sweeps.work.simulate:SIMULATE",
        "fit": "sweeps.work.fit:FIT",
    },
    "features": {
        "independent": "toymodels.features.independent:Independent",
        "one_active": "toymodels.features.one_active:OneActive",
        "several_active": "toymodels.features.several_active:SeveralActive",
        "correlated": "toymodels.features.correlated:CorrelatedSets",
        "anticorrelated": "toymodels.features.anticorrelated:AnticorrelatedSets",
    },
    "values": {
        "uniform": "toymodels.features.base:Uniform",
        "signed_uniform": "toymodels.features.base:SignedUniform",
        "boolean": "toymodels.features.base:Boolean",
    },
    "model": {
        "linear": "toymodels.models.autoencoders:LinearAutoencoder",
        "relu": "toymodels.models.autoencoders:ReluAutoencoder",
        "untied": "toymodels.models.autoencoders:UntiedAutoencoder",
        "hidden_relu": "toymodels.models.hidden_relu:HiddenReluAutoencoder",
        "hidden_relu_biased": "toymodels.models.hidden_relu:BiasedHiddenReluAutoencoder",
        "absolute_value": "toymodels.models.absolute_value:AbsoluteValueModel",
        "absolute_value_biased": "toymodels.models.absolute_value:BiasedAbsoluteValueModel",
        "mlp": "toymodels.models.mlp:OneHiddenLayer",
        "mlp_biased": "toymodels.models.mlp:BiasedOneHiddenLayer",
        "rotations": "toymodels.models.circuit_start:RotationNetwork",
        "steps": "toymodels.models.circuit_start:StepNetwork",
        "continued": "toymodels.models.base:Continued",
        "sparse_autoencoder": "toymodels.models.sparse_autoencoder:SparseAutoencoder",
    },
    "task": {
        "reconstruction": "toymodels.tasks.reconstruction:Reconstruction",
        "absolute_value": "toymodels.tasks.absolute_value:AbsoluteValue",
        "compressed_computation": ("toymodels.tasks.compressed_computation:CompressedComputation"),
        "rotations": "toymodels.tasks.circuits:RotationTask",
        "steps": "toymodels.tasks.circuits:StepTask",
        "universal_and": "toymodels.tasks.universal_and:UniversalAnd",
        "hidden_of": "toymodels.tasks.hidden_of:HiddenOf",
    },
    "estimator": {
        "sampled": "toymodels.estimators.sampled:Sampled",
        "stratified": "toymodels.estimators.stratified:Stratified",
        "stratified_powers": "toymodels.estimators.powers:StratifiedPowers",
        "exact": "toymodels.estimators.quadrature:Quadrature",
        "fourier": "toymodels.estimators.fourier:Fourier",
        "control_variate": "toymodels.estimators.control_variate:ControlVariate",
        "adversarial": "toymodels.estimators.adversarial:AdversarialTraining",
    },
    "optimizer": {
        "adam": "toymodels.optimizers:Adam",
        "adamw": "toymodels.optimizers:AdamW",
        "sgd": "toymodels.optimizers:SGD",
        "newton": "sweeps.work.solve:Newton",
    },
    "schedule": {
        "cosine": "toymodels.optimizers:Cosine",
        "constant": "toymodels.optimizers:Constant",
        "linear": "toymodels.optimizers:Linear",
    },
    "penalties": {
        "l1_hidden": "toymodels.penalties.l1_hidden:L1Hidden",
        "l2_hidden": "toymodels.penalties.l2_hidden:L2Hidden",
    },
    "measures": {
        "geometry": "toymodels.measures.columns:measure_geometry",
        "adversarial": "toymodels.measures.adversarial:Adversarial",
        "active_error": "toymodels.measures.active_error:ActiveError",
        "activity": "toymodels.measures.activity:Activity",
        "linear_regime": "toymodels.measures.linear_regime:LinearRegime",
        "circuit_errors": "toymodels.measures.circuit_errors:CircuitErrors",
        "circuit_structure": "toymodels.measures.circuit_structure:CircuitStructure",
        "privilege": "toymodels.measures.privilege:Privilege",
    },
    "circuits": {
        "rotations": "toymodels.circuits.constructions.rotations:Rotations",
        "untied": "toymodels.circuits.constructions.storage:Untied",
        "private": "toymodels.circuits.constructions.storage:Private",
        "copies": "toymodels.circuits.constructions.copies:Copies",
        "merged": "toymodels.circuits.constructions.copies:Merged",
        "echoes": "toymodels.circuits.constructions.copies:Echoes",
        "gated_rotations": "toymodels.circuits.constructions.gated_rotations:GatedRotations",
        "attended_rotations": (
            "toymodels.circuits.constructions.attended_rotations:AttendedRotations"
        ),
        "discrete_rotations": (
            "toymodels.circuits.constructions.discrete_rotations:DiscreteRotations"
        ),
        "linked": "toymodels.circuits.constructions.linked_rotations:LinkedRotations",
    },
    "assignment": {
        "prime_steps": "toymodels.circuits.assignment:prime_steps",
        "transversal": "toymodels.circuits.assignment:transversal",
        "random_subsets": "toymodels.circuits.assignment:random_subsets",
    },
    "gating": {
        "relu": "toymodels.circuits.forward:relu_gating",
        "ideal": "toymodels.circuits.forward:ideal_gating",
    },
    "gate": {
        "none": "toymodels.circuits.gates:NoGate",
        "exclusive": "toymodels.circuits.gates:ExclusiveGate",
        "by_share": "toymodels.circuits.gates:ShareGate",
        "blind": "toymodels.circuits.gates:BlindGate",
        "weights": "toymodels.circuits.gates:WeightGate",
    },
    "cleaning": {
        "values": "toymodels.circuits.discrete:snap",
        "indicators": "toymodels.circuits.discrete:switch",
    },
    "small_circuit": {
        "vector": "toymodels.circuits.small_circuits:rotation_circuit",
        "signs": "toymodels.circuits.discrete:sign_circuit",
    },
}

# Keys whose things have a table of their own, with the name under another key.
TABLES = {"features": "kind"}

# Keys that hold several things: a list of names, or a table of names with their settings.
SEVERAL = ("penalties", "measures")

# Keys that stand beside a table but are for what is in it as well.
SIZES = ("n_features", "n_hidden")


@cache
def find(key: str, name: str) -> Any:
    """Return the thing that a name stands for.

    Raises:
        InputError: no such name, or a name of your own that cannot be imported.
    """
    module, _, attribute = NAMES[key].get(name, name).partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        raise InputError(
            f"{key} = {name!r}: no such name.{hint(name, NAMES[key])} There are "
            f"{listed(NAMES[key]) or 'none yet'}, or your own as module:name."
        )
    look_in(Path.cwd())  # your own may lie where you are, as with `python -m`
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{key} = {name!r} cannot be imported: {error}. Looked in {Path.cwd()}, beside the "
            "TOML file, and where Python looks."
        ) from None


def look_in(folder: Path) -> None:
    """Let modules of the user's own be found in a folder, after all others."""
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
