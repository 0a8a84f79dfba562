"""What networks say before they are trained, with and without standardisation, beside the labels.

Random weights have the variance 1/fan-in, which suits inputs and outputs of unit spread. With functions
standardised by mean and deviation, and energies too, what they say first lies where the labels lie; without,
the training has to find units and offsets first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from alnn.descriptors.survey import spread
from alnn.pages.style import BLUE, INK, VERMILLION, figure, letter
from alnn.potential import Potential, Scaling
from alnn.potential.calculator import Evaluator
from alnn.training.architecture import Architecture, initial_weights
from alnn.training.members import to_layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORKS, ATOMS = 5, 3000
"""Networks that are drawn, and atoms of the structures that they are asked of, evenly spread over all."""


@dataclass(frozen=True)
class Values:
    """Energies (n,) eV/atom without the offsets of the composition, and force components (m,) eV/Å."""

    energies: np.ndarray
    forces: np.ndarray


@dataclass(frozen=True)
class Before:
    """Of the labels, and of fresh networks with and without standardisation."""

    labels: Values
    standardised: Values
    plain: Values

    def line(self) -> str:
        """The energies in words."""
        labels, standardised, plain = (v.energies for v in (self.labels, self.standardised, self.plain))
        return (
            f"energies without offsets, eV/atom: labels spread {labels.std():.3g}; fresh networks "
            f"{standardised.std():.3g} around {np.median(standardised):.3g} with standardisation, "
            f"{plain.std():.3g} around {np.median(plain):.3g} without"
        )


def before_training(potential: Potential, structures: Sequence[Atoms], seed: int) -> Before:
    """Fresh networks of the potential's functions, layers and standardisation on labelled structures."""
    some = spread(structures, ATOMS)
    shift = np.array([sum(potential.energy_shift[s] for s in atoms.symbols) / len(atoms) for atoms in some])
    label = [atoms.get_potential_energy() / len(atoms) for atoms in some]
    forces = [atoms.calc.results["forces"].ravel() for atoms in some if "forces" in atoms.calc.results]
    labels = Values(np.array(label) - shift, np.concatenate([np.zeros(0), *forces]))
    fresh = with_fresh_networks(potential, seed)
    return Before(labels, _said(fresh, some, shift), _said(without_standardisation(fresh), some, shift))


def with_fresh_networks(potential: Potential, seed: int) -> Potential:
    """The potential with networks of random weights, as trainings begin with (but those from the linear fit)."""
    species, first = potential.species, potential.members[0]
    architecture = Architecture(
        tuple(first[s][0].weights.shape[1] for s in species),
        tuple(tuple(len(layer.bias) for layer in first[s][:-1]) for s in species),
        next((layer.activation for s in species for layer in first[s][:-1]), "linear"),
    )
    drawn = initial_weights(architecture, NETWORKS, np.random.default_rng([seed, 12]))
    members = [to_layers(architecture, species, row) for row in drawn]
    return replace(potential, members=members, repulsion=None, baseline=None, grade=None)


def without_standardisation(potential: Potential) -> Potential:
    """The same networks, of functions and energies (eV) as they are; what is constant stays switched off."""
    scaling = {
        s: Scaling(np.zeros_like(x.mean), np.where(x.std > 0, 1.0, 0.0), x.min, x.max)
        for s, x in potential.scaling.items()
    }
    return replace(
        potential, scaling=scaling, energy_scale=1.0, energy_shift=dict.fromkeys(potential.species, 0.0)
    )


def _said(potential: Potential, structures: Sequence[Atoms], shift: np.ndarray) -> Values:
    """What each network by itself says."""
    energies, forces = [], []
    for member in potential.members:
        found = Evaluator(replace(potential, members=[member])).evaluate(structures)
        energies.append(np.array([p.energy / len(a) for p, a in zip(found, structures, strict=True)]) - shift)
        forces += [p.forces.ravel() for p in found]
    return Values(np.concatenate(energies), np.concatenate(forces))


def before_figure(found: Before) -> Figure:
    """Distributions of energies and of force components; where they are far apart axes are compressed."""
    picture = figure(8.0, 3.2)
    left, right = picture.subplots(1, 2)
    for axes, kind, text in (
        (left, "energies", "energy without offsets (eV/atom)"),
        (right, "forces", "force component (eV/Å)"),
    ):
        values = [getattr(part, kind) for part in (found.labels, found.standardised, found.plain)]
        _distributions(axes, values)
        axes.set(xlabel=text, ylabel="share of values")
    left.legend(loc="upper left", fontsize=8)
    letter(left, "a")
    letter(right, "b")
    return picture


def _distributions(axes: Axes, values: Sequence[np.ndarray]) -> None:
    """Histograms in bins that are even in asinh(x / width), with the spread of the first as width."""
    from matplotlib.ticker import AsinhLocator, NullLocator

    width = float(values[0].std()) if len(values[0]) else float(values[1].std())
    width = width or 1.0
    ends = np.percentile(np.concatenate(values), (0.1, 99.9))
    edges = width * np.sinh(np.linspace(*np.arcsinh(ends / width), 61))
    names = ("labels", "fresh networks, standardised", "fresh networks, not")
    for x, name, color in zip(values, names, (INK, BLUE, VERMILLION), strict=True):
        if len(x) and edges[0] < edges[-1]:
            axes.stairs(np.histogram(x, edges)[0] / len(x), edges, color=color, linewidth=1.5, label=name)
    axes.set_xscale("asinh", linear_width=width)
    axes.xaxis.set_major_locator(AsinhLocator(width, numticks=5))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:.2g}")
