"""Under- and overfitting: errors on the training data and on what was held out, by the size of the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ase import Atoms

from alnn.fitting.curve import CurvePoint, point
from alnn.fitting.search import Layers, layers_in_words, resized
from alnn.pages.style import BLUE, VERMILLION, figure, letter, log_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alnn.potential import Potential

FACTORS = (0.25, 0.5, 1.0, 2.0)
"""Of the neurons of each layer."""


@dataclass(frozen=True)
class SizePoint:
    """Layers in words, weights of one network of all species, errors on both sides (meV/atom, meV/Å)."""

    layers: str
    weights: int
    training: CurvePoint
    held: CurvePoint

    def line(self) -> str:
        """In words."""
        parts = [f"network size: {self.layers}, {self.weights} weights"]
        for kind, unit in (("energy", "meV/atom"), ("force", "meV/Å")):
            on, off = (getattr(side, f"{kind}_mae") for side in (self.training, self.held))
            if on is not None and off is not None:
                parts.append(f"{on:.3g} {unit} in training, {off:.3g} held out")
        return "; ".join(parts)


def by_size(
    training: Sequence[Atoms],
    held: Sequence[Atoms],
    hidden: Layers,
    whole: Potential,
    fit: Callable[[Layers], Potential],
) -> list[SizePoint]:
    """Fits of a quarter, a half and twice the neurons `hidden` of the potential `whole`, in the order of size."""
    found: dict[str, SizePoint] = {}
    for factor in FACTORS:
        layers = resized(hidden, factor)
        name = layers_in_words(layers)
        if name not in found:
            potential = whole if layers == resized(hidden, 1.0) else fit(layers)
            sides = (point(potential, len(training), part) for part in (training, held))
            found[name] = SizePoint(name, weights(potential), *sides)
    return sorted(found.values(), key=lambda size: size.weights)


def weights(potential: Potential) -> int:
    """Of one network of each species, biases included."""
    return sum(
        layer.weights.size + layer.bias.size for layers in potential.members[0].values() for layer in layers
    )


def sizes_figure(points: Sequence[SizePoint]) -> Figure:
    """Errors on both sides against the number of weights."""
    picture = figure(8.0, 3.4)
    panels = picture.subplots(1, 2)
    for axes, kind, unit, name in zip(panels, ("energy", "force"), ("meV/atom", "meV/Å"), "ab", strict=True):
        for side, label, color in (("training", "training data", BLUE), ("held", "held out", VERMILLION)):
            shown = [(p.weights, getattr(getattr(p, side), f"{kind}_mae")) for p in points]
            shown = [(x, y) for x, y in shown if y]
            if shown:
                axes.plot(*zip(*shown, strict=True), "o-", color=color, label=label)
        if axes.lines:
            axes.set_xscale("log")
            axes.set_xticks([p.weights for p in points], [str(p.weights) for p in points])
            axes.set_xticks([], minor=True)
            log_errors(axes)
            axes.legend()
        axes.set(xlabel="weights of a network", ylabel=f"{kind} MAE ({unit})")
        letter(axes, name)
    return picture
