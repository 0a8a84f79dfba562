"""Structures labelled by a cheaper method (low level), corrected to the method of the data (high level).

What two methods differ by needs far fewer labels than either (R. Ramakrishnan et al., J. Chem. Theory Comput. 11,
2087 (2015)). Networks learn that difference from the structures that both have labelled and correct the low level's
labels of the others, which then are data like the high level's own: the potential knows many structures and needs no
low level in production.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ase import Atoms

from alnn.errors import ConfigError
from alnn.potential import Potential
from alnn.potential.calculator import AlnnCalculator
from alnn.reference.known import KnownLabels
from alnn.structures.labels import Label, with_added

FEWEST = 10
"""Structures with labels of both methods; fewer say nothing of what is between them."""
SMOOTHER = 10.0
"""By what weights decay more where a difference is learned: it is smaller and smoother than the methods themselves."""

Fit = Callable[[Sequence[Atoms]], Potential]


def corrected(
    data: Sequence[Atoms],
    low: Sequence[Atoms],
    held: Sequence[Atoms],
    fit: Fit,
    say: Callable[[str], None] = lambda line: None,
) -> list[Atoms]:
    """The structures of `low` that are neither in `data` nor in `held`, with their labels corrected by what `fit`
    learns of the labels of `data` less those of `low`.

    Raises ConfigError where fewer than FEWEST structures of `data` are in `low`.
    """
    of_low, of_others = KnownLabels(low, forces=False), KnownLabels([*data, *held], forces=False)
    both = [(atoms, of_low.find(atoms)) for atoms in data]
    differences = [with_added(atoms, label, -1.0) for atoms, label in both if label is not None]
    if len(differences) < FEWEST:
        raise ConfigError(
            f"--low-level: expected at least {FEWEST} structures of the data in its file too, by which the methods are "
            f"compared, found {len(differences)} of {len(data)}"
        )
    between = fit(differences).alone()
    calculator = AlnnCalculator(between)
    others = [atoms for atoms in low if of_others.find(atoms) is None]
    say(
        f"low level: {len(differences)} of {len(data)} structures have both labels, whose difference networks meet to "
        f"{1e3 * between.training['energy_mae']:.3g} meV/atom; {len(others)} others join the training, corrected by it"
    )
    return [with_added(atoms, _predicted(calculator, atoms)) for atoms in others]


def _predicted(calculator: AlnnCalculator, atoms: Atoms) -> Label:
    bare = atoms.copy()
    bare.calc = calculator
    stress = bare.get_stress() if atoms.pbc.all() else None
    return Label(float(bare.get_potential_energy()), bare.get_forces(), stress)
