"""Reference energies and forces from any LAMMPS pair style, in this process."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units

from alnn.errors import ReferenceError_
from alnn.lammps_instance import lammps_word, lammps_words, start_lammps
from alnn.reference import checked
from alnn.structures.labels import Label
from alnn.structures.lammps_box import LammpsBox, lammps_box


class LammpsReference:
    """Labels structures by `pair_style` and `pair_coeff` lines; atom types are the species in their order.

    One LAMMPS instance a kind of periodicity is kept for all labels. Each structure is put into an empty
    instance whose box depends on that structure alone, so that a label does not depend on what was labelled
    before it.

    Raises ReferenceError_ with LAMMPS' own text for lines LAMMPS refuses, and for a file that is not there.
    Files named in `pair_coeff` are looked for in `folder`, then where LAMMPS looks.
    """

    def __init__(
        self,
        commands: Sequence[str],
        species: Sequence[str],
        masses: Mapping[str, float],
        folder: Path | str = ".",
    ) -> None:
        self.commands = resolve_files(commands, species, folder)
        self.species = list(species)
        self.masses = [float(masses[s]) for s in species]
        self.calls = 0
        self._instances: dict[tuple[bool, ...], object] = {}
        self._types = {symbol: i + 1 for i, symbol in enumerate(self.species)}

    def check(self) -> None:
        """Set LAMMPS up once, so that a wrong line is said before anything else is done."""
        self._instance((False, False, False))

    def label(self, atoms: Atoms) -> Label:
        """Energy (eV) and forces (N, 3) (eV/Å) of one structure, the stress of a periodic one. Raises
        ReferenceError_, also where not finite.
        """
        lmp, box = self._load(atoms)
        self._run(lmp, "run 0 post no", atoms)
        energy = lmp.get_thermo("pe")
        forces = box.to_ase(lmp.numpy.extract_atom("f")[: len(atoms)].copy())
        self.calls += 1
        return checked(energy, forces, len(atoms), _stress(lmp, box))

    def minimize(self, atoms: Atoms, force: float = 1e-6, steps: int = 10_000) -> Atoms:
        """The nearest minimum: every force component below `force` (eV/Å), or after `steps` steps."""
        lmp, box = self._load(atoms)
        lmp.command("min_style cg")
        self._run(lmp, f"minimize 0.0 {force:g} {steps} {10 * steps}", atoms)
        minimum = atoms.copy()
        minimum.positions = box.to_ase(lmp.numpy.extract_atom("x")[: len(atoms)].copy())
        return minimum

    def dynamics(
        self, atoms: Atoms, temperature: float, timestep: float, steps: int, every: int, seed: int
    ) -> list[Atoms]:
        """Structures each `every` of `steps` steps of canonical dynamics (Nose-Hoover) at a fixed cell.

        temperature in K, timestep in ps; velocities are drawn anew. Raises ReferenceError_.
        """
        lmp, box = self._load(atoms)
        self._run(lmp, "reset_timestep 0")
        for command in (
            f"velocity all create {temperature:.17g} {seed} loop geom",
            f"timestep {timestep:.17g}",
            f"fix dynamics all nvt temp {temperature:.17g} {temperature:.17g} {100 * timestep:.17g}",
        ):
            self._run(lmp, command, atoms)
        frames = []
        for _ in range(max(steps // every, 1)):
            self._run(lmp, f"run {min(every, steps)}", atoms)
            frame = atoms.copy()
            frame.calc = None
            positions = np.array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3)
            frame.positions = box.to_ase(positions)
            frame.wrap()
            frames.append(frame)
        self._run(lmp, "unfix dynamics")
        return frames

    def _load(self, atoms: Atoms) -> tuple[object, LammpsBox]:
        lmp, box = self._instance(tuple(bool(p) for p in atoms.pbc)), lammps_box(atoms)
        lmp.command("delete_atoms group all compress yes")
        xy, xz, yz = box.tilt
        lmp.reset_box(box.low.tolist(), box.high.tolist(), xy, yz, xz)
        try:
            types = [self._types[symbol] for symbol in atoms.symbols]
        except KeyError as error:
            raise ReferenceError_(
                f"reference: expected species {self.species}, found {error.args[0]}"
            ) from error
        created = lmp.create_atoms(len(atoms), None, types, np.ascontiguousarray(box.positions).ravel())
        if created != len(atoms):
            raise ReferenceError_(f"reference: expected {len(atoms)} atoms in the box, LAMMPS took {created}")
        return lmp, box

    def _instance(self, pbc: tuple[bool, ...]) -> object:
        if pbc not in self._instances:
            self._instances[pbc] = self._start(pbc)
        return self._instances[pbc]

    def _start(self, pbc: tuple[bool, ...]) -> object:
        lmp = start_lammps()
        # Ids in the order of creation and no sorting keep the arrays in the order of the structure.
        setup = [
            "units metal",
            "atom_style atomic",
            "atom_modify map array sort 0 0",
            "boundary " + " ".join("p" if periodic else "f" for periodic in pbc),
            "newton on",
            "region box prism -50 50 -50 50 -50 50 0 0 0"
            if any(pbc)
            else "region box block -50 50 -50 50 -50 50",
            f"create_box {len(self.species)} box",
            *[f"mass {i} {mass:.17g}" for i, mass in enumerate(self.masses, start=1)],
            *self.commands,
            # Clusters are small and lie in a large box: pairs are found faster without bins.
            f"neighbor 0.3 {'bin' if any(pbc) else 'nsq'}",
            "neigh_modify every 1 delay 0 check yes one 10000 page 200000",
            "thermo_modify norm no",
            "thermo 1000000",
        ]
        for command in setup:
            self._run(lmp, command)
        return lmp

    def _run(self, lmp: object, command: str, atoms: Atoms | None = None) -> None:
        try:
            lmp.command(command)
        except Exception as error:
            self._instances.clear()  # LAMMPS may not go on after an error
            of = f" of {atoms.info['origin']}" if atoms is not None and "origin" in atoms.info else ""
            text = " ".join(str(error).split())
            raise ReferenceError_(f"reference: LAMMPS refused '{command}'{of}: {text}") from error


def resolve_files(commands: Sequence[str], species: Sequence[str], folder: Path | str) -> list[str]:
    """Pair lines with the files of `pair_coeff` made absolute where they lie in `folder`.

    Raises ReferenceError_ for a line that is neither pair_style nor pair_coeff, and for a file that is
    neither in `folder` nor where LAMMPS looks (the working directory, LAMMPS_POTENTIALS) nor among those that
    it brings along.
    """
    resolved, styles = [], set[str]()
    for command in commands:
        words = lammps_words(command)
        styles.update(words[1:] if words[:1] == ["pair_style"] else [])
        if not words or words[0] not in ("pair_style", "pair_coeff", "pair_modify", "special_bonds"):
            raise ReferenceError_(f"reference: expected pair_style or pair_coeff lines, found '{command}'")
        if names_files(words, styles):
            words[3:] = [
                word if word in styles else _resolve(word, species, Path(folder), command)
                for word in words[3:]
            ]
        resolved.append(" ".join(lammps_word(word) for word in words))
    if not any(line.startswith("pair_style") for line in resolved):
        raise ReferenceError_("reference: expected a pair_style line, found none")
    return resolved


def names_files(words: Sequence[str], styles: Collection[str]) -> bool:
    """Whether words of a line may be files: pair_coeff of all `styles` but `lepton`, which has formulas with points and
    slashes in their place, alone or in a hybrid.
    """
    if list(words[:1]) != ["pair_coeff"]:
        return False
    of_several = len(words) > 3 and words[3] in styles
    return not any(name.startswith("lepton") for name in ([words[3]] if of_several else styles))


def _resolve(word: str, species: Sequence[str], folder: Path, command: str) -> str | Path:
    if word in species or _is_number(word):
        return word
    if (folder / word).is_file():
        return (folder / word).resolve()
    looks_like_a_file = "/" in word or "." in word
    if not looks_like_a_file:
        return word
    elsewhere = [
        Path(word),
        *(Path(p) / word for p in os.environ.get("LAMMPS_POTENTIALS", "").split(":") if p),
    ]
    if any(path.is_file() for path in elsewhere):
        return word
    with_lammps = _own_potentials() / word
    if not with_lammps.is_file():
        raise ReferenceError_(f"reference: '{command}': no file {word} in {folder.resolve()}")
    return str(with_lammps)


def _own_potentials() -> Path:
    """The folder of potential files that LAMMPS brings along."""
    import lammps

    return Path(lammps.__file__).parent / "share" / "lammps" / "potentials"


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _stress(lmp: object, box: LammpsBox) -> np.ndarray | None:
    """Stress (6,) (eV/Å^3) of a structure at rest that is periodic in all directions, as ASE orders and signs it."""
    if not all(box.periodic):
        return None
    pressure = np.array([lmp.get_thermo(name) for name in ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")])
    return box.stress_to_ase(-units.bar * pressure)
