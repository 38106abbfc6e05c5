"""What `toymodels inspect` prints of models: their geometry, loss, and what would be better."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from figures.command.inspected import Inspected, described
from toymodels import geometry
from toymodels.exact.known import (
    LARGEST_DESCENT,
    LARGEST_FOURIER,
    Known,
    Loss,
    best_known,
    loss_of,
)
from toymodels.models.base import has_map

SHOWN = 40  # rows of a table at most
MOST_STARTS = 8  # models of a file that also start a descent
SAME = 2e-4  # relative difference of losses below which two solutions are equally good


class Asked(NamedTuple):
    """The problem that a model is judged by."""

    p_active: Any  # None where nobody said it
    importance: Any
    other: str | None  # a world that the loss is not known for, in words


def print_models(
    path: Path, models: Sequence[Inspected], asked: Sequence[Asked], notes: Sequence[str]
) -> None:
    """Print one model at length, or one line for each of several."""
    print(f"{path}: {described(models)}")
    for note in notes:
        print(f"  {note}")
    if any(hasattr(m.model, "V") for m in models):
        print("  untied: measured by its balanced encoder, whatever the scales of W and V")
    verdicts = judged(models, asked)
    if len(models) == 1:
        _print_one(models[0])
        for line in verdicts[0].lines(models[0]):
            print(line)
        return
    width = max(len(m.label) for m in models)
    print(f"{'':<{width}}  represented  sum of D_i  {'loss':>10}  {'gap':>8}  arrangement")
    for m, found in list(zip(models, verdicts, strict=True))[:SHOWN]:
        print(f"{m.label:<{width}}  {_line(m, found)}")
    if len(models) > SHOWN:
        print(f"… and {len(models) - SHOWN} more: select some with KEY=VALUE")


class Verdict(NamedTuple):
    """A model's loss and the best solution known, or why they are not."""

    loss: Loss | None = None
    best: Known | None = None
    why: str = ""

    def lines(self, m: Inspected) -> list[str]:
        """Return what is said of one model."""
        found = [_row("loss of its run", m.about["loss"])] if "loss" in m.about else []
        if self.loss is not None:
            found.append(_row(f"loss, {self.loss.how}", self.loss.value, "summed over features"))
        if self.best is not None:
            found.append(_row("best known solution", self.best.loss, self.best.how))
            found.append(f"  {self.compared(m)}")
        return [*found, f"  {self.why}"] if self.why else found

    def compared(self, m: Inspected) -> str:
        """Say in a sentence how the loss compares with the best that is known, and what that is."""
        assert self.loss is not None and self.best is not None
        if self.is_best:
            tied = self.loss.value < self.best.loss * (1 - SAME)
            return f"no gap: nothing better is known{' among tied models' if tied else ''}"
        better, own = (geometry.name_arrangement(W) for W in (self.best.W, m.W))
        what = f"better values of its arrangement, {own}" if better == own else f"better: {better}"
        return f"gap to the best known {self.gap}; {what}"

    @property
    def is_best(self) -> bool:
        """Whether nothing is known that is clearly better."""
        assert self.loss is not None and self.best is not None
        return self.loss.value <= self.best.loss * (1 + SAME) + 1e-9

    @property
    def gap(self) -> str:
        """By how much the loss is above the best known one."""
        if self.loss is None or self.best is None:
            return ""
        if self.is_best:
            return "none"
        if self.best.loss <= 0:
            return "all of it"
        times = self.loss.value / self.best.loss
        return f"{times - 1:.2%}" if times < 2 else f"{times:.3g} ×"


def judged(models: Sequence[Inspected], asked: Sequence[Asked]) -> list[Verdict]:
    """Judge models by their problems; those of one problem are compared with the same solution."""
    losses = [_loss(m, problem) for m, problem in zip(models, asked, strict=True)]
    groups: dict[Any, list[int]] = {}
    for i, (m, loss, problem) in enumerate(zip(models, losses, asked, strict=True)):
        if isinstance(loss, Loss):
            linear = has_map(m.model, "linear_map")
            groups.setdefault((repr(problem), m.W.shape, linear), []).append(i)
    verdicts = [Verdict(why=loss) if isinstance(loss, str) else Verdict(loss) for loss in losses]
    for (_, size, linear), group in groups.items():
        problem = asked[group[0]]
        tied = [m.model for m in (models[i] for i in group) if not hasattr(m.model, "V")]
        best = best_known(
            problem.p_active,
            problem.importance,
            size,
            linear=linear,
            starts=[(np.asarray(m.W), np.asarray(m.b)) for m in tied[:MOST_STARTS]],
        )
        why = "" if best else f"best known: none above {LARGEST_DESCENT} features"
        for i in group:
            verdicts[i] = verdicts[i]._replace(best=best, why=why)
    return verdicts


def _loss(m: Inspected, asked: Asked) -> Loss | str:
    """Return a model's loss, or why it is not known."""
    kind = type(m.model).__name__
    if not m.finite:
        return "not finite: it diverged"
    if not (has_map(m.model, "relu_map") or has_map(m.model, "linear_map")):
        return f"loss: not known without samples, {kind} is not y = ReLU(G x + b)"
    if asked.other is not None:
        return f"loss: not known without samples in this world, {asked.other}"
    if asked.p_active is None:
        return "loss: say in which world, with --p and --importance"
    loss = loss_of(m.model, asked.p_active, asked.importance)
    return loss or f"loss: not computed above {LARGEST_FOURIER} features"


def _line(m: Inspected, found: Verdict) -> str:
    if not m.finite:
        return found.why
    represented = int(np.sum(m.measured["norm"] > 0.5))
    total = m.measured["feature_dimensionality"].sum()
    value = found.loss.value if found.loss else m.about.get("loss")
    shown = "" if value is None else f"{value:.6g}"
    better = ""
    if found.loss and found.best and not found.is_best:
        name = geometry.name_arrangement(found.best.W)
        better = f"; better: {name}" if name != geometry.name_arrangement(m.W) else ""
    return f"{represented:>11}  {total:>10.4f}  {shown:>10}  {found.gap:>8}  {m.name}{better}"


def _row(what: str, value: float, how: str = "") -> str:
    return f"  {what:<40}  {value:.6g}" + (f"  ({how})" if how else "")


def _print_one(m: Inspected) -> None:
    M, n = m.W.shape
    found = m.measured
    norm, superposition = found["norm"], found["superposition"]
    represented = int(np.sum(norm > 0.5))
    dedicated = int(np.sum((norm > 0.5) & (superposition < 0.1)))
    print(f"  rank of W                                 {np.linalg.matrix_rank(m.W)}")
    print(f"  represented features (norm > 0.5)         {represented}")
    print(f"  of them dedicated (superposition < 0.1)   {dedicated}")
    print(f"  dimensions per feature m/|W|^2            {M / max(np.sum(norm**2), 1e-30):.4f}")
    total = found["feature_dimensionality"].sum()
    print(f"  sum of feature dimensionalities           {total:.4f}")
    if n > M:
        print(f"  more features than dimensions: {'yes' if represented > M else 'no'}")
    if "closest" in found:
        size = np.abs(found["closest"])
        print(f"  closest other feature, |cosine|           median {np.median(size):.4f}", end="")
        print(f", largest {size.max():.4f}")
        print(f"  nearly opposite to another (cos < -0.9)   {int(np.sum(found['closest'] < -0.9))}")
    _print_shapes(m)
    print("feature      norm  superposition  dimensionality")
    for i in range(min(n, SHOWN)):
        D = found["feature_dimensionality"][i]
        print(f"{i:>7}  {norm[i]:>8.4f}  {superposition[i]:>13.4f}  {D:>14.4f}")
    if n > SHOWN:
        print(f"… and {n - SHOWN} more; --out FILE.png draws them all")


def _print_shapes(m: Inspected) -> None:
    """Print the groups of features that interact, and the polytope each is nearest to."""
    if m.shapes is None:
        print(f"  {m.name}")
        return
    whole = geometry.joined_name(m.shapes)
    together = f"  (together: {whole})" if whole else ""
    print(f"  shapes                                    {geometry.name_arrangement(m.W)}{together}")
    if m.shapes:
        print("shape             rank  distance  features")
    for shape in m.shapes[:SHOWN]:
        features = [str(i) for i in shape.features[:SHOWN]]
        more = ["…"] if len(shape.features) > SHOWN else []
        print(f"{shape.name:<16}  {shape.rank:>4}  {shape.distance:>8.4f}  ", end="")
        print(" ".join([*features, *more]))
    if len(m.shapes) > SHOWN:
        print(f"… and {len(m.shapes) - SHOWN} more shapes")
