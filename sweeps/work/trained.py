"""What a trained block leaves behind: its weights, losses and measures as named fields."""

from functools import partial
from typing import Any

import numpy as np

from sweeps.plan import Block
from sweeps.work.base import Output, nan_where_lost, world_fields
from sweeps.work.convergence import fall_fields
from sweeps.work.engine import Result, measure_block, runs_of
from sweeps.work.layout import first_model
from toymodels.estimators.best import ESTIMATES, best_estimator
from toymodels.fields import Field, fields_of
from toymodels.tasks.base import outputs_of
from toymodels.training import chunk_ends

AT_SNAPSHOT = "_at_snapshot"


def output(block: Block, result: Result) -> Output:
    """Name the arrays of a trained block."""
    spec = block.program.run.spec
    fields = fields_of(result.model, leading=2)
    measure_all = partial(measure_block, runs_of(block), layout=block.layout)
    fields |= nan_where_lost(measure_all(result.model), np.asarray(result.evaluation.diverged))
    steps = [t for t in spec.snapshots if t in result.snapshots]
    if steps:
        kept = [fields_of(result.snapshots[t], leading=2) for t in steps]
        found = [nan_where_lost(measure_all(result.snapshots[t]), result.lost_at(t)) for t in steps]
        kept = [k | m for k, m in zip(kept, found, strict=True)]
        fields |= {name + AT_SNAPSHOT: stack(name, kept) for name in kept[0]}
    fields |= evaluation_fields(block, result.evaluation)
    fields |= fall_fields(result.loss_fall, np.asarray(result.evaluation.diverged))
    curve = (
        "loss at about a hundred steps, where samples are drawn on the same few thousand; NaN at "
        "those where the run had diverged"
    )
    fields["loss_curve"] = Field(result.loss_curve, ("step",), curve)
    fields |= world_fields(block)
    fields = {name: field.holding(np.asarray(field.values)) for name, field in fields.items()}
    coords = {"step": np.array(chunk_ends(spec))}
    return Output(fields, coords | ({"snapshot": np.array(steps)} if steps else {}))


def stack(name: str, kept: list[dict[str, Field]]) -> Field:
    """Join a field of several snapshots along the dimension `snapshot`, after `[S, C]`."""
    first = kept[0][name]
    values = np.stack([np.asarray(fields[name].values) for fields in kept], axis=2)
    return Field(values, ("snapshot", *first.dims), f"{first.words}, at each snapshot")


def evaluation_fields(block: Block, evaluation: Any) -> dict[str, Field]:
    """Return the losses of a block, and by which estimate they were computed."""
    one = block.program.cell(0)
    best = best_estimator(one.task, first_model(one))
    names = tuple(estimator.name for estimator in ESTIMATES)
    outputs = outputs_of(one.task)
    label = np.full(block.points.shape, names.index(best.name), np.int8)
    return {
        "loss": Field(evaluation.loss, (), "importance-weighted squared error, summed"),
        f"loss_per_{outputs}": Field(evaluation.loss_per_output, (outputs,), "the split of `loss`"),
        "loss_ranking": Field(
            evaluation.loss_ranking,
            (),
            "the loss on other examples, where any are drawn: choose by this, report `loss`",
        ),
        "diverged": Field(
            np.asarray(evaluation.diverged, np.int8),
            (),
            "1 where weights or loss are not finite, or the loss is 100 times that of learning "
            "nothing: losses and measures are then NaN, weights stay",
            ("finite", "diverged"),
        ),
        "evaluated_by": Field(label, (), "estimate behind `loss` and `loss_curve`", names),
    }
