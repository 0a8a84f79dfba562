"""The subprocess of a reference method: computes what it is asked for until the asking process ends.

Started as a script, by an interpreter that may lack alnn: it needs NumPy and ASE. Requests and replies are lines of
JSON on two pipes of their own, whose descriptors are the arguments; whatever the calculator prints goes to
output.txt in the working directory of the request. The first request says what to compute with.
"""

import ctypes
import importlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # beside this script lie modules with names such as `ase`
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np
from ase import Atoms

OUTPUT = "output.txt"
NO_FORCES = "gives no forces: expected those that training.forces needs (with `none` energies alone do)"
Structure = dict[str, Any]  # symbols, positions (Å), cell (Å), pbc
Frames = list[list[list[float]]]  # positions (Å)
MINIMUM_FORCE, MINIMUM_STEPS = 0.01, 500  # eV/Å; what noisy forces of a density functional still reach
FRICTION = 0.01  # 1/fs, of Langevin dynamics
SCF_LOOPS = (
    "scf",
    "wfs",
    "mf",
    "method_scan",
    "dft",
)  # parts of calculators (GPAW, PySCF) that may be `converged`
NOT_CONVERGED = (  # what programs print whose energies ASE reads all the same
    b"convergence NOT achieved",  # Quantum ESPRESSO
    b"SCF run NOT converged",  # CP2K
    b"SCC is NOT converged",  # DFTB+
    b"SCF_NOT_CONV",  # SIESTA
    b"SCF *not* converged",  # Octopus
    b"was not enough SCF cycles to converge",  # ABINIT
    b"max. SCF cycles performed but system has not reached the groundstate",  # CASTEP
    b"CONVERGENCE HAS NOT BEEN ACHIEVED",  # ABACUS
)
LONGEST_OUTPUT = 1 << 26  # bytes; longer files are data


def main() -> None:
    requests, replies = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(requests, False)  # a calculator's own children must not keep the pipes open
    os.set_inheritable(replies, False)
    lines = queue.Queue()
    threading.Thread(target=_read, args=(requests, lines), daemon=True).start()
    with open(replies, "w", encoding="utf-8") as out:

        def reply(value: dict[str, Any]) -> None:
            out.write(json.dumps(value) + "\n")
            out.flush()

        try:
            reference = open_reference(json.loads(lines.get()))
        except BaseException as error:
            reply({"error": describe(error)})
            return
        reply({"value": None})
        while (request := json.loads(lines.get()))["do"] != "end":
            reply(answer(reference, request))


def _read(descriptor: int, lines: queue.Queue) -> None:
    """Hand on the requests; when the asking process is gone, end this one and all that it started."""
    with open(descriptor, encoding="utf-8") as stream:
        for line in stream:
            lines.put(line)
    os.killpg(0, signal.SIGKILL)


def answer(reference: "AseCommands | LammpsCommands", request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one request, computed in its folder with everything printed there."""
    home, printed = os.getcwd(), [os.dup(1), os.dup(2)]
    os.chdir(request["folder"])
    output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    _redirect([output, output])
    os.close(output)
    try:
        return {"value": getattr(reference, request["do"])(**request["arguments"])}
    except BaseException as error:
        traceback.print_exc()
        return {"error": describe(error)}
    finally:
        _redirect(printed)
        for descriptor in printed:
            os.close(descriptor)
        os.chdir(home)


def _flush() -> None:
    """Everything printed so far is in its file."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ctypes.CDLL(None).fflush(None)  # what compiled code still holds back


def _redirect(descriptors: list[int]) -> None:
    _flush()
    for target, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, target)


def describe(error: BaseException) -> str:
    """An error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def open_reference(settings: dict[str, Any]) -> "AseCommands | LammpsCommands":
    """What answers requests. Imports the calculator, so that a wrong name is said before anything is computed."""
    sys.path.append(settings["folder"])
    if settings["kind"] == "lammps":
        return LammpsCommands(settings)
    return AseCommands(settings)


def build(value: Any) -> Any:
    """`value` with every {call: path, arguments: {...}} in it replaced by what the call returns."""
    if isinstance(value, list):
        return [build(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "call" in value and value.keys() <= {"call", "arguments"}:
        return find(value["call"])(**build(value.get("arguments", {})))
    return {key: build(part) for key, part in value.items()}


def find(path: str) -> Any:
    """The object of an import path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def is_converged(calculator: Any) -> bool:
    """False where a calculator says that it did not converge: by `converged`, an attribute or a method of its own, of
    its SCF loop or in its results, be it Python's or NumPy's False. What says nothing has converged.
    """
    told = [getattr(calculator, "results", {}).get("converged")]
    for part in (calculator, *(getattr(calculator, name, None) for name in SCF_LOOPS)):
        told.append(getattr(part, "converged", None))
    return all(_is_true(value) for value in told)


def _is_true(value: Any) -> bool:
    if callable(value):
        try:
            value = value()
        except TypeError:  # it asks for arguments, so it is about something else
            return True
    return not isinstance(value, bool | int | np.bool_ | np.integer | np.ndarray) or bool(np.all(value))


def output_is_converged(folder: Path) -> bool:
    """False where a program wrote into `folder` that it did not converge."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size <= LONGEST_OUTPUT]
    return not any(phrase in text for text in map(_read_bytes, files) for phrase in NOT_CONVERGED)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # what cannot be read says nothing
        return b""


def as_voigt(stress: Any) -> np.ndarray | None:
    """A stress (6,) in ASE's order from that or from 3 x 3; None for none, and for what is no finite stress."""
    try:
        stress = np.asarray(stress, float)
    except (TypeError, ValueError):
        return None
    if stress.size == 9:
        stress = stress.reshape(3, 3)
        stress = (stress + stress.T)[(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)] / 2
    return stress if stress.shape == (6,) and np.isfinite(stress).all() else None


class AseCommands:
    """Requests answered by an ASE calculator: a new one each time, unless it is to be used again."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.make = find(settings["calculator"])
        self.kept = None
        offered = getattr(self.make, "implemented_properties", None)
        if settings["forces"] and isinstance(offered, list | tuple) and offered and "forces" not in offered:
            raise NotImplementedError(f"{settings['calculator']} {NO_FORCES}")

    def label(self, structure: Structure) -> dict[str, Any]:
        """Energy (eV), forces (eV/Å; None where there are none and none are needed) and, where it is known, stress."""
        atoms = self._atoms(structure)
        energy = atoms.get_potential_energy(force_consistent=self.settings["free_energy"])
        forces, stress = self._forces(atoms), self._stress(atoms)
        _flush()
        if not (is_converged(atoms.calc) and output_is_converged(Path("."))):
            raise RuntimeError("the calculator says that it did not converge")
        self._drop(atoms.calc)
        known = {} if stress is None else {"stress": stress.tolist()}
        return {"energy": float(energy), "forces": None if forces is None else forces.tolist(), **known}

    def _forces(self, atoms: Atoms) -> np.ndarray | None:
        try:
            return np.asarray(atoms.get_forces(), float)
        except NotImplementedError as error:
            if self.settings["forces"]:
                raise NotImplementedError(f"{self.settings['calculator']} {NO_FORCES}") from error
            return None

    def _stress(self, atoms: Atoms) -> np.ndarray | None:
        """(6,) eV/Å^3 as ASE orders it, of what has a volume. It is asked for where training needs it, else taken if it
        is there.
        """
        if not atoms.pbc.all():
            return None
        stress = atoms.calc.results.get("stress")
        if stress is None and self.settings["stress"]:
            try:
                stress = atoms.get_stress()
            except NotImplementedError:
                print("alnn: the calculator gives no stress")
        return as_voigt(stress)

    def minimize(self, structure: Structure) -> Frames:
        """The nearest minimum."""
        from ase.optimize import BFGS

        atoms = self._atoms(structure)
        BFGS(atoms).run(fmax=MINIMUM_FORCE, steps=MINIMUM_STEPS)
        return [atoms.positions.tolist()]

    def dynamics(
        self, structure: Structure, temperature: float, timestep: float, steps: int, every: int, seed: int
    ) -> Frames:
        """Positions each `every` of `steps` steps of Langevin dynamics at a fixed cell."""
        from ase import units
        from ase.md.langevin import Langevin
        from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

        atoms = self._atoms(structure)
        random = np.random.default_rng(seed)
        atoms.set_masses([self.settings["masses"][symbol] for symbol in atoms.symbols])
        MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=random)
        # With its centre of mass held, ASE heats all other degrees of freedom to N/(N - 1) of the temperature.
        motion = Langevin(
            atoms,
            1e3 * timestep * units.fs,
            temperature_K=temperature,
            friction=FRICTION / units.fs,
            fixcm=False,
            rng=random,
        )
        frames = []
        for _ in range(max(steps // every, 1)):
            motion.run(min(every, steps))
            frames.append(atoms.positions.tolist())
        return frames

    def _atoms(self, structure: Structure) -> Atoms:
        atoms = Atoms(**structure)
        if self.settings["vacuum"] is not None and not atoms.pbc.any():
            atoms.center(vacuum=self.settings["vacuum"])
            atoms.pbc = True
        moments = self.settings["magnetic_moments"]
        if moments:
            atoms.set_initial_magnetic_moments([moments.get(symbol, 0.0) for symbol in atoms.symbols])
        if self.kept is None or not self.settings["reuse"]:
            self.kept = self.make(**build(self.settings["arguments"]))
        atoms.calc = self.kept
        return atoms

    def _drop(self, calculator: Any) -> None:
        """End a program that a calculator keeps running and that nobody will ask again."""
        close = getattr(calculator, "close", None)
        if callable(close) and not self.settings["reuse"]:
            close()


class LammpsCommands:
    """Requests answered by LAMMPS pair styles."""

    def __init__(self, settings: dict[str, Any]) -> None:
        from alnn.reference.lammps import LammpsReference

        names = ("commands", "species", "masses", "folder")
        self.reference = LammpsReference(**{name: settings[name] for name in names})
        self.reference.check()

    def label(self, structure: Structure) -> dict[str, Any]:
        """Energy (eV) and forces (eV/Å)."""
        label = self.reference.label(Atoms(**structure))
        stress = {} if label.stress is None else {"stress": label.stress.tolist()}
        return {"energy": label.energy, "forces": label.forces.tolist(), **stress}

    def minimize(self, structure: Structure) -> Frames:
        """The nearest minimum."""
        return [self.reference.minimize(Atoms(**structure)).positions.tolist()]

    def dynamics(self, structure: Structure, **settings: Any) -> Frames:
        """Positions of canonical dynamics."""
        return [frame.positions.tolist() for frame in self.reference.dynamics(Atoms(**structure), **settings)]


if __name__ == "__main__":
    main()
