"""TOML in, a validated sweep out: strict, with one clear message for each mistake.

The home of pydantic and of the names that map to functions and classes, with `circuits_config`
and the types of both in `fields`. A file has the run's own keys (see `RunConfig`, or
`CircuitsConfig` where it says `circuits`) and, around them, `name`, `description`, `seed`,
`[grid]`, `[zip.NAME]`, `[derive]` and `[fast]` (what `--fast` changes).
"""

import dataclasses
import hashlib
import json
import pickle
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sweeps.circuits_config import CircuitsConfig, circuits_config
from sweeps.fields import STRICT, Integer, NotNegative, Number, Positive, first_message, set_path
from sweeps.grid import Axis, Dimension, Grid
from sweeps.named import derived_value, law_values
from sweeps.solving import SolveSpec
from toymodels import models, optimizers
from toymodels.errors import InputError
from toymodels.exact.expected import LARGEST_F
from toymodels.exact.fourier import FourierReconstruction
from toymodels.exact.strata import StratifiedReconstruction
from toymodels.exact.training import ExactReconstruction
from toymodels.features import Features, Independent, OneActive, SignedUniform, Uniform
from toymodels.tasks import Reconstruction
from toymodels.training import Run, TrainSpec

# Raised when the same config gives other numbers than before, so that old results are not reused.
RESULT_VERSION = 2

MODELS = {
    "linear": models.LinearAutoencoder,
    "relu": models.ReluAutoencoder,
    "untied": models.UntiedAutoencoder,
}
ESTIMATORS = {
    "sampled": Reconstruction,
    "stratified": StratifiedReconstruction,
    "exact": ExactReconstruction,
    "fourier": FourierReconstruction,
}
VALUE_LAWS = {"uniform": Uniform(), "signed_uniform": SignedUniform()}
SCHEDULES = {
    "constant": optimizers.Constant(),
    "linear": optimizers.Linear(),
    "cosine": optimizers.Cosine(),
}


PerFeature = Number | list[Number] | dict[str, Number | str]


@dataclass(frozen=True, config=STRICT)
class FeaturesConfig:
    """The world: density of each feature (number, list or law) and the law of active values."""

    kind: Literal["independent", "one_active"] = "independent"
    p_active: PerFeature = 1.0
    values: Literal["uniform", "signed_uniform"] = "uniform"

    def build(self, n_features: int) -> Features:
        """Make the features."""
        law = VALUE_LAWS[self.values]
        if self.kind == "independent":
            p_active = law_values(self.p_active, n_features, "features.p_active")
            return Independent.create(p_active, n_features, law)
        if self.p_active != 1.0:
            raise InputError(
                f"features.p_active = {self.p_active} means nothing to features.kind = "
                f"{self.kind!r}, where each feature has its turn in 1 of n_features examples: "
                "leave it out."
            )
        return OneActive(n_features, law)


@dataclass(frozen=True, config=STRICT)
class RunConfig:
    """One training run, everything but its seed."""

    model: Literal["linear", "relu", "untied"]
    n_features: Positive
    n_hidden: Positive
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    importance: PerFeature = 1.0
    init_scale: NotNegative | Literal["xavier"] = "xavier"
    estimator: Literal["sampled", "stratified", "exact", "fourier"] = "sampled"
    steps: Annotated[Integer, Field(ge=1, le=100_000_000)] = 2000
    batch_size: Positive = 1024
    optimizer: Literal["adam", "adamw", "sgd", "newton"] = "adam"
    n_starts: Annotated[Integer, Field(ge=1, le=10_000)] = 8
    learning_rate: NotNegative = 1e-2
    weight_decay: NotNegative = 0.0
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    snapshots: list[Annotated[Integer, Field(ge=0)]] = Field(default_factory=list)
    evaluation_size: Annotated[Integer, Field(ge=1, le=10_000_000)] = 65_536

    def build(self) -> Run:
        """Make the task, the start and the spec; leaves are numpy arrays."""
        n, m = self.n_features, self.n_hidden
        features = self.features.build(n)
        importance = law_values(self.importance, n, "importance")
        task = ESTIMATORS[self.estimator].create(features, importance, n)
        task.check_model(MODELS[self.model])
        given = self.init_scale
        scale = models.xavier_scale(n, m) if given == "xavier" else given
        start = models.Init(np.float32(scale), MODELS[self.model], n_features=n, n_hidden=m)
        spec = self._solved() if self.optimizer == "newton" else self._trained()
        return Run(task=task, init=start, spec=spec)

    def _trained(self) -> TrainSpec:
        """Say how the run is trained."""
        self._check_idle(("n_starts",))
        late = [t for t in self.snapshots if t > self.steps]
        if late:
            raise InputError(f"snapshots = {late} come after the last of steps = {self.steps}.")
        return TrainSpec(
            learning_rate=np.float32(self.learning_rate),
            weight_decay=np.float32(self.weight_decay),
            steps=self.steps,
            batch_size=self.batch_size,
            optimizer=self._optimizer(),
            schedule=SCHEDULES[self.schedule],
            snapshots=tuple(sorted(set(self.snapshots))),
            evaluation_size=self.evaluation_size,
        )

    def _check_idle(self, keys: Iterable[str]) -> None:
        """Refuse keys that would do nothing under this optimiser."""
        for key in keys:
            if getattr(self, key) != getattr(_DEFAULTS, key):
                raise InputError(
                    f"{key} = {getattr(self, key)!r} means nothing to optimizer = "
                    f"{self.optimizer!r}: leave it out."
                )

    def _solved(self) -> SolveSpec:
        """Check that every cell can be solved: Newton steps need the exact loss."""
        self._check_idle(OF_TRAINING)
        for key, wanted in (("model", "relu"), ("estimator", "exact")):
            if getattr(self, key) != wanted:
                raise InputError(
                    f'optimizer = "newton" needs {key} = {wanted!r}, got '
                    f"{getattr(self, key)!r}: it solves for the least expected loss."
                )
        if not self.n_hidden < self.n_features <= LARGEST_F:
            raise InputError(
                f'optimizer = "newton" needs n_hidden < n_features <= {LARGEST_F}, got '
                f"n_hidden = {self.n_hidden}, n_features = {self.n_features}: train instead."
            )
        return SolveSpec(n_starts=self.n_starts)

    def describe(self) -> dict[str, Any]:
        """Return what names the run.

        Keys that came later are left out at their defaults, so that old names, and with them
        first weights, stay as they were. Runs that differ in their estimator alone start alike.
        """
        given = vars(self) | {"features": dict(vars(self.features))}  # asdict copies: half the cost
        del given["estimator"]
        if given["n_starts"] == _DEFAULTS.n_starts:
            del given["n_starts"]
        if given["features"]["kind"] == _DEFAULTS.features.kind:
            del given["features"]["kind"]
        return given

    def _optimizer(self) -> optimizers.Optimizer:
        if self.optimizer == "sgd":
            return optimizers.SGD(momentum=self.momentum)
        if self.momentum:
            raise InputError(
                f"momentum = {self.momentum} means nothing to optimizer = {self.optimizer!r}: "
                'leave it out or use optimizer = "sgd".'
            )
        return {"adam": optimizers.Adam(), "adamw": optimizers.AdamW()}[self.optimizer]


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """A whole sweep: what every run shares, and the grid of what differs."""

    name: str
    run: dict[str, Any]  # the run's own keys, as given
    grid: Grid
    derive: dict[str, tuple[str, tuple[str, ...]]]  # path -> (function, axes)
    seed: int = 0
    description: str = ""

    def describe(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what names one cell, from path -> value without the seed."""
        return self.cell(values).describe()

    def cell(self, values: dict[str, Any]) -> RunConfig | CircuitsConfig:
        """Return one cell's validated config."""
        table = pickle.loads(self._pickled)
        derived = {
            path: derived_value(path, name, [values[axis] for axis in axes])
            for path, (name, axes) in self.derive.items()
        }
        used = {axis for _, axes in self.derive.values() for axis in axes}
        for path, value in {**values, **derived}.items():
            if path not in used or is_run_path(path, schema_of(self.run)):
                set_path(table, path, value)
        return cell_config(table)

    @cached_property
    def _pickled(self) -> bytes:
        return pickle.dumps(self.run)

    def build(self, values: dict[str, Any]) -> Run:
        """Build one cell's run."""
        return self.cell(values).build()

    def as_json(self) -> str:
        """Return the canonical JSON of everything that decides the numbers."""
        axes = [
            [d.name, {axis.path: [axis.name, list(axis.values)] for axis in d.axes}]
            for d in self.grid.dimensions
        ]
        derive = {path: [name, list(of)] for path, (name, of) in self.derive.items()}
        resolved = {"run": self.run, "grid": axes, "derive": derive, "seed": self.seed}
        resolved |= {"name": self.name, "result_version": RESULT_VERSION}
        return json.dumps(resolved, sort_keys=True)

    def hash(self) -> str:
        """Return ten hexadecimal digits that name the folder of this sweep's results."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:10]


Schema = type[RunConfig] | type[CircuitsConfig]

_RUN = TypeAdapter(RunConfig)
_DEFAULTS = RunConfig(model="relu", n_features=1, n_hidden=1)
OF_TRAINING = (
    *("init_scale", "steps", "batch_size", "learning_rate", "weight_decay", "momentum"),
    *("schedule", "snapshots", "evaluation_size"),
)


def config_from_json(text: str) -> SweepConfig:
    """Make a stored config a `SweepConfig` again."""
    stored = json.loads(text)
    dimensions = tuple(
        Dimension(name, tuple(Axis(path, n, tuple(values)) for path, (n, values) in axes.items()))
        for name, axes in stored["grid"]
    )
    derive = {path: (name, tuple(of)) for path, (name, of) in stored["derive"].items()}
    return SweepConfig(stored["name"], stored["run"], Grid(dimensions), derive, stored["seed"])


def schema_of(table: dict[str, Any]) -> Schema:
    """Return what a table's cells are: circuits where it says so, else training runs."""
    return CircuitsConfig if "circuits" in table else RunConfig


def cell_config(table: dict[str, Any]) -> RunConfig | CircuitsConfig:
    """Validate the keys of one cell, of either kind; errors as `run_config`."""
    return run_config(table) if schema_of(table) is RunConfig else circuits_config(table)


def run_config(table: dict[str, Any]) -> RunConfig:
    """Validate the keys of one run.

    Raises:
        InputError: with the key, its value and what is allowed.
    """
    try:
        return _RUN.validate_python(table)
    except ValidationError as error:
        inner = [f.name for f in dataclasses.fields(FeaturesConfig)]
        raise InputError(first_message(error, known_keys(), inner)) from None


def is_run_path(path: str, schema: Schema = RunConfig) -> bool:
    """Tell whether a path such as "importance.ratio" sets something of a cell."""
    first, *rest = path.split(".")
    if first not in known_keys(schema):
        return False
    if first == "features":
        return bool(rest) and rest[0] in {f.name for f in dataclasses.fields(FeaturesConfig)}
    return not rest or first == "importance"


def known_keys(schema: Schema = RunConfig) -> list[str]:
    """Return the keys of a cell."""
    return [f.name for f in dataclasses.fields(schema)]
