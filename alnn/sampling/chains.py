"""A potential -> candidate structures, by LAMMPS' `mc` commands in this process."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from alnn.errors import SamplingError
from alnn.lammps_instance import Lammps, lammps_word, open_lammps
from alnn.reference.baseline import lines_for_lammps
from alnn.reference.lammps import resolve_files
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun
from alnn.structures.lammps_box import LammpsBox, lammps_box


@dataclass(frozen=True)
class Candidate:
    """A structure that a chain visited, its energy (eV) by the potential that was sampled, and where from."""

    atoms: Atoms
    energy: float
    origin: str


def sample(
    potential: str | Path | Sequence[str],
    start: Atoms,
    run: MetropolisRun | NestedRun,
    *,
    seed: int,
    species: Sequence[str],
    masses: Mapping[str, float],
    guards: Guards | None = None,
    folder: str | Path = ".",
) -> list[Candidate]:
    """Sample from `start` (a free cluster, or periodic in some or all directions).

    `potential` is the path of an `.alnn` file, or the `pair_style` and `pair_coeff` lines of any other
    potential, whose files are looked for in `folder`. `species` are LAMMPS' atom types in their order,
    `masses` (g/mol) theirs. The guards' cluster criterion is not for boxes periodic in all directions. The same
    arguments give the same candidates. Raises SamplingError with LAMMPS' own text.
    """
    with open_chain(
        potential, start, run, seed=seed, species=species, masses=masses, guards=guards, folder=folder
    ) as chain:
        return chain(run, seed)


class Chain:
    """A system in LAMMPS that `mc` is run on, each time from where the last run ended."""

    def __init__(
        self,
        run_line: Lammps,
        start: Atoms,
        species: Sequence[str],
        guards: Guards,
        box: LammpsBox,
        scratch: Path,
    ) -> None:
        self.run_line = run_line
        self.scratch = scratch
        self._start = start
        self._species = species
        self._guards = guards
        self._box = box

    def __call__(
        self, run: MetropolisRun | NestedRun, seed: int, *more: str, stratum: int = 0
    ) -> list[Candidate]:
        """Structures of one run; `more` keywords of `mc`, `stratum`: number of the first. Raises SamplingError."""
        frames = self.scratch / "frames.extxyz"
        whole = bool(self._start.pbc.all())
        line = mc_command(run, self._guards, self._species, seed, free=not whole, dump=frames)
        self.run_line(" ".join([line, *more]))
        return _candidates(frames, self._start, run, self._box, stratum)


@contextmanager
def open_chain(
    potential: str | Path | Sequence[str],
    start: Atoms,
    run: MetropolisRun | NestedRun,
    *,
    seed: int,
    species: Sequence[str],
    masses: Mapping[str, float],
    guards: Guards | None = None,
    folder: str | Path = ".",
) -> Iterator[Chain]:
    """A chain at its start; arguments and errors as those of `sample`."""
    guards = guards or Guards()
    _check(start, run, guards, species, seed)
    with (
        tempfile.TemporaryDirectory(prefix="alnn-mc-") as scratch,
        open_lammps("sampling", SamplingError) as run_line,
    ):
        box = _set_up(run_line, start, species, masses)
        for line in _pair_lines(potential, species, folder):
            run_line(line)
        if not start.pbc.any():
            # Pairs of a small cluster in a large box are found faster without bins.
            run_line("neighbor 2.0 nsq")
        yield Chain(run_line, start, species, guards, box, Path(scratch))


def mc_command(
    run: MetropolisRun | NestedRun,
    guards: Guards,
    species: Sequence[str],
    seed: int,
    *,
    free: bool,
    dump: str | Path,
) -> str:
    """The line of a LAMMPS script that does `run` and writes its structures to `dump`; `free` where a direction is not
    periodic, so that atoms could leave.
    """
    words: list[str | float] = ["mc"]
    if isinstance(run, MetropolisRun):
        fixed = run.pressure is None
        words += (
            ["nvt", run.cycles, run.temperature]
            if fixed
            else ["npt", run.cycles, run.temperature, run.pressure]
        )
        words += ["equilibrate", run.equilibrate, "dump", run.every]
    else:
        words += ["nested", run.cycles, run.stage, "tune", "yes" if run.tune else "no", "dump", "strata"]
    words += [lammps_word(dump), "seed", seed, "displace", run.displace]
    if run.pressure is not None:
        words += ["pressure", run.pressure] if run.kind == "nested" else []
        words += ["dlnv", run.dlnv]
        words += ["volume", *guards.volume] if guards.volume is not None else []
    if free and guards.cluster is not None:
        words += ["cluster", guards.cluster]
    for i, a in enumerate(species, start=1):
        for j, b in enumerate(species[:i], start=1):
            if guards.rmin_of(a, b) > 0:
                words += ["rmin", i, j, guards.rmin_of(a, b)]
    return " ".join(str(word) for word in [*words, "species", *species])


def _check(
    start: Atoms, run: MetropolisRun | NestedRun, guards: Guards, species: Sequence[str], seed: int
) -> None:
    if len(start) == 0:
        raise SamplingError("sampling: expected at least one atom to start from, found none")
    if seed < 1:
        raise SamplingError(f"sampling: expected a seed of at least 1, found {seed}")
    strangers = sorted(set(start.symbols) - set(species))
    if strangers:
        raise SamplingError(f"sampling: expected species {list(species)}, found {', '.join(strangers)}")
    if start.pbc.any() and not start.pbc.all() and guards.cluster is None:
        raise SamplingError(
            f"sampling: expected a radius that keeps atoms at a slab or wire, for pbc {start.pbc.tolist()}, found none"
        )
    if run.pressure is not None and not start.pbc.all():
        raise SamplingError("sampling: expected a periodic box to sample at a pressure, found none")
    if run.pressure is not None and run.kind == "nested" and guards.volume is None:
        raise SamplingError(
            "sampling: expected limits of the volume in a nested run at a pressure, found none"
        )
    if not np.isfinite(start.positions).all():
        raise SamplingError("sampling: expected finite coordinates to start from, found others")


def _set_up(run_line: Lammps, start: Atoms, species: Sequence[str], masses: Mapping[str, float]) -> LammpsBox:
    """Units, box, atoms and masses. Returns how the structure lies in LAMMPS."""
    box = lammps_box(start)
    for line in (
        "units metal",
        "atom_style atomic",
        "atom_modify map array sort 0 0",
        f"boundary {box.boundary}",
    ):
        run_line(line)
    run_line("box tilt large")
    run_line(f"region box {box.region}")
    run_line(f"create_box {len(species)} box")
    for i, symbol in enumerate(species, start=1):
        run_line(f"mass {i} {masses[symbol]:.17g}")
    types = [list(species).index(symbol) + 1 for symbol in start.symbols]
    created = run_line.instance.create_atoms(
        len(start), None, types, np.ascontiguousarray(box.positions, float).ravel()
    )
    if created != len(start):
        raise SamplingError(f"sampling: expected {len(start)} atoms in the box, LAMMPS took {created}")
    return box


def _pair_lines(
    potential: str | Path | Sequence[str], species: Sequence[str], folder: str | Path
) -> list[str]:
    if not isinstance(potential, str | Path):
        return resolve_files(potential, species, folder)
    path = Path(potential)
    if not path.is_file():
        raise SamplingError(f"sampling: expected a potential file, found nothing at {path}")
    return lines_for_lammps(path, species)


def _candidates(
    frames: Path, start: Atoms, run: MetropolisRun | NestedRun, box: LammpsBox, stratum: int
) -> list[Candidate]:
    if frames.stat().st_size == 0:
        return []
    candidates = []
    # Unless told otherwise, ASE reads on MPI's rank 0 and hands its structures to all ranks.
    for frame in ase.io.read(frames, index=":", format="extxyz", parallel=False):
        atoms = Atoms(frame.symbols, frame.positions, cell=start.cell, pbc=start.pbc)
        atoms.positions = box.to_ase(frame.positions)
        if run.pressure is not None:
            atoms.cell = box.to_ase(frame.cell.array)  # without change of the positions
        origin = _origin(frame, run, stratum)
        atoms.info["origin"] = origin
        candidates.append(Candidate(atoms, float(frame.get_potential_energy()), origin))
    return candidates


def _origin(frame: Atoms, run: MetropolisRun | NestedRun, first: int) -> str:
    """In a few words how a frame came about; in a box with its volume, Å^3 per atom."""
    volume = f" V={frame.get_volume() / len(frame):.3f}" if frame.pbc.all() else ""
    if isinstance(run, MetropolisRun):
        return f"metropolis T={run.temperature:g} size={len(frame)}{volume}"
    return f"nested stratum={first + int(frame.info['stratum'])} size={len(frame)}{volume}"
