"""What sampling found in an iteration, and which of it is labelled and joins the pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from alnn.campaign import selection
from alnn.campaign.history import finite_max, finite_mean
from alnn.campaign.settings import Campaign
from alnn.campaign.soundness import worth_a_label
from alnn.structures.labels import structure_key
from alnn.training.soundness import composition, element_offsets

if TYPE_CHECKING:
    from alnn.descriptors.described import Described
    from alnn.uncertainty.greedy import Learned

_AT_RANDOM = 600_000  # tells the draws of a selection from all others of the campaign's seed


@dataclass
class Candidates:
    """What sampling found in an iteration, and what the committee thinks of it (C candidates)."""

    structures: list[Atoms]
    chains: list[int]
    """The walker each came from."""
    energies: np.ndarray
    """(C,) eV, of the potential."""
    spread: np.ndarray
    """(C,) eV/atom, standard deviation over the committee, or over draws of silent neurons."""
    features: np.ndarray
    """(C, F) mean descriptors in units of their spread over the pool."""
    pool_features: np.ndarray
    """(P, F) the same of the pool."""
    learned: "Learned | None" = None
    """The potential with what its training has left open, where candidates are chosen by variance."""
    described: "Described | None" = None
    """The structures with their descriptors, where these are known."""

    @property
    def energies_per_atom(self) -> np.ndarray:
        """(C,) eV/atom."""
        return self.energies / np.array([len(atoms) for atoms in self.structures])

    def subset(self, chosen: np.ndarray) -> "Candidates":
        """The candidates where `chosen` (C,) holds."""
        kept = np.flatnonzero(chosen)
        return Candidates(
            [self.structures[k] for k in kept],
            [self.chains[k] for k in kept],
            self.energies[kept],
            self.spread[kept],
            self.features[kept],
            self.pool_features,
            self.learned,
            self.described and self.described.subset(kept),
        )


def new_and_sound(config: Campaign, found: Candidates, pool: Sequence[Atoms]) -> tuple[Candidates, int]:
    """Candidates that are not in the pool yet, nor twice among themselves, one from each hole of the network; and
    the number of walkers that fell into one.
    """
    seen = {structure_key(atoms) for atoms in pool}
    new = np.zeros(len(found.structures), bool)
    for index, atoms in enumerate(found.structures):
        key = structure_key(atoms)
        new[index] = key not in seen
        seen.add(key)
    fresh = found.subset(new)
    energies, lowest = comparable(fresh, pool, config.species)
    sound, holes = worth_a_label(energies, np.asarray(fresh.chains), lowest - config.sampling.hole)
    return fresh.subset(sound), holes


def comparable(found: Candidates, pool: Sequence[Atoms], species: Sequence[str]) -> tuple[np.ndarray, float]:
    """Energies of the candidates (C,), and the lowest of the pool, in eV/atom, as if all had the pool's mean
    composition: the offsets of the elements, as the pool has them, are taken out. Those of one species stay.
    """
    known = np.array([atoms.get_potential_energy() / len(atoms) for atoms in pool])
    energies = found.energies_per_atom
    if len(species) > 1:
        fractions = composition(pool, species)
        offsets, mean = element_offsets(known, fractions), fractions.mean(axis=0)
        energies = energies - (composition(found.structures, species) - mean) @ offsets
        known = known - (fractions - mean) @ offsets
    return energies, float(known.min())


def choose(config: Campaign, found: Candidates, budget: int, pool: Sequence[Atoms]) -> list[selection.Choice]:
    """What gets a label: in selection by error the first candidates, of a dataset any, else those that the method finds
    worth most, after those that are drawn at random.
    """
    rules, pool_size, count = config.selection, len(pool), len(found.structures)
    random = np.random.default_rng([config.seed, pool_size, _AT_RANDOM])
    of_dataset = config.reference.dataset is not None
    if rules.method == "error":
        order = random.permutation(count) if of_dataset else range(count)
        return [selection.Choice(int(index), "") for index in order[:budget]]
    if rules.method in ("committee", "variance", "dropout") and pool_size < rules.bootstrap:
        return selection.by_distance(found.features, found.pool_features, budget)
    allowed = np.ones(count, bool)
    if rules.highest_energy is not None:
        allowed &= ~(comparable(found, pool, config.species)[0] > rules.highest_energy)
    if rules.height is not None:
        allowed &= ~(heights(found, pool) > rules.height)
    thermal = [
        k
        for k, atoms in enumerate(found.structures)
        if allowed[k] and (of_dataset or atoms.info["origin"].startswith("metropolis"))
    ]
    drawn = selection.at_random(thermal, min(rules.at_random, budget), random)
    allowed[[choice.index for choice in drawn]] = False
    return drawn + _by_method(config, found, budget - len(drawn), allowed, pool_size, random)


def heights(found: Candidates, pool: Sequence[Atoms]) -> np.ndarray:
    """Energies of the candidates (C,) in eV/atom above the lowest of their composition, labelled or predicted."""
    lowest: dict[str, float] = {}
    known = [(atoms.get_chemical_formula(), atoms.get_potential_energy() / len(atoms)) for atoms in pool]
    formulas = [atoms.get_chemical_formula() for atoms in found.structures]
    for formula, energy in [*known, *zip(formulas, found.energies_per_atom, strict=True)]:
        if np.isfinite(energy):
            lowest[formula] = min(energy, lowest.get(formula, np.inf))
    return found.energies_per_atom - np.array([lowest.get(formula, np.nan) for formula in formulas])


def _by_method(
    config: Campaign,
    found: Candidates,
    count: int,
    allowed: np.ndarray,
    pool_size: int,
    random: np.random.Generator,
) -> list[selection.Choice]:
    """At most `count` of the allowed candidates (C,), those that `selection.method` finds worth most."""
    rules = config.selection
    if rules.method == "variance":
        return _by_variance(config, found, count, allowed, pool_size)
    if rules.method in ("committee", "dropout"):
        spread, chains = np.where(allowed, found.spread, 0.0), np.asarray(found.chains)
        return selection.by_committee(
            spread, found.features, chains, count, rules.spread, rules.distance, rules.method
        )
    left = np.flatnonzero(allowed)
    if rules.method == "random":
        return selection.at_random(left, count, random)
    by = selection.by_distance if rules.method == "farthest" else selection.by_cur
    chosen = by(found.features[left], found.pool_features, count)
    return [selection.Choice(int(left[choice.index]), choice.reason) for choice in chosen]


def _by_variance(
    config: Campaign, found: Candidates, count: int, allowed: np.ndarray, pool_size: int
) -> list[selection.Choice]:
    """At most `count` of the allowed candidates (C,), those that the training has left open most."""
    rules, learned = config.selection, found.learned
    assert learned is not None
    by_forces = config.by_forces()
    chosen = learned.greedy(
        found.described or found.structures,
        count,
        by_forces=by_forces,
        threshold=rules.force_spread if by_forces else rules.spread,
        seed=pool_size,
        allowed=allowed,
    )
    unit = "meV/Å" if by_forces else "meV/atom"
    return [selection.Choice(index, f"sigma {1e3 * sigma:.2f} {unit}") for index, sigma in chosen]


def joining(config: Campaign, labelled: list[Atoms], predicted: np.ndarray) -> list[Atoms]:
    """The labelled structures that join the pool: by error those the potential was wrong about, else all.

    predicted (L,): total energies (eV) before they were labelled.
    """
    if config.selection.method != "error" or not labelled:
        return labelled
    true = np.array([atoms.get_potential_energy() for atoms in labelled])
    sizes = np.array([len(atoms) for atoms in labelled])
    wrong = selection.by_error(predicted, true, sizes, config.selection.tolerance)
    for choice in wrong:
        labelled[choice.index].info["origin"] += f" {choice.reason}"
    return [labelled[choice.index] for choice in wrong]


@dataclass(frozen=True)
class Picked:
    """What is labelled in an iteration: structures with their origins, the energies (n,) eV that the potential predicts
    for them, and what the history says of the candidates that they are from.
    """

    structures: list[Atoms]
    predicted: np.ndarray
    record: dict[str, Any]
    holes: int


def pick(config: Campaign, found: Candidates, budget: int, pool: Sequence[Atoms], iteration: int) -> Picked:
    """The structures of an iteration's candidates that get labels."""
    sound, holes = new_and_sound(config, found, pool)
    chosen = choose(config, sound, budget, pool)
    picked = [sound.structures[choice.index].copy() for choice in chosen]
    for atoms, choice in zip(picked, chosen, strict=True):
        atoms.info["origin"] = f"{atoms.info['origin']} iteration={iteration} {choice.reason}".strip()
    spread = sound.spread if config.reference.dataset is not None else found.spread
    record = {
        "candidates": len(spread),
        "labelled": len(picked),
        "committee_spread": finite_mean(spread),
        "committee_spread_max": finite_max(spread),
    }
    return Picked(picked, sound.energies[[choice.index for choice in chosen]], record, holes)
