"""ASE calculators for the tests of references: a pair potential, and faults chosen by the structure itself."""

import os
import signal
import sys
import time

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

FAULTS = ("raise", "hang", "nan", "signal", "exit", "shape", "unconverged")


class Pairs(Calculator):
    """A Morse potential between all pairs; prints what would disturb a protocol on stdout."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy and forces."""
        super().calculate(atoms, properties, system_changes)
        print('{"value": null}', flush=True)
        vectors = self.atoms.positions[:, None] - self.atoms.positions[None]
        distances = np.linalg.norm(vectors, axis=2)
        np.fill_diagonal(distances, np.inf)
        decay = np.exp(-1.5 * (distances - 2.7))
        slope = 0.4 * 2 * 1.5 * (decay - decay**2)
        with np.errstate(invalid="ignore"):
            forces = -(slope / distances)[:, :, None] * vectors
        self.results = {"energy": 0.2 * float((decay**2 - 2 * decay).sum()), "forces": forces.sum(axis=1)}


class Shifted(Pairs):
    """The same for a cluster in a periodic cell, shifted by an energy; `file` has to exist."""

    def __init__(self, shift, file):
        super().__init__()
        assert os.path.exists(file)
        self.shift = float(shift)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy and forces."""
        assert atoms.pbc.all() and atoms.positions.min() > 3.999
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] += self.shift


class Faulty(Pairs):
    """Fails for some structures, always the same ones: those for which `fault` names something else than "".

    Notes each calculation in the file `log`. The variable NO_FAULTS makes it sound.
    """

    def __init__(self, share=0.3, faults=FAULTS, spare=0, log=None):
        super().__init__()
        self.share, self.faults, self.spare, self.log = share, faults, spare, log
        self.converged = True

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy and forces, or a fault."""
        share = 0.0 if "NO_FAULTS" in os.environ else self.share
        kind = fault(atoms, share, self.faults, self.spare)
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write(f"{atoms.positions.tobytes().hex()} {kind}\n")
        super().calculate(atoms, properties, system_changes)
        self.converged = kind != "unconverged"
        if kind == "raise":
            raise RuntimeError("no convergence in 100 iterations")
        if kind == "hang":
            time.sleep(1000)
        if kind == "nan":
            self.results["energy"] = np.nan
        if kind == "signal":
            print("about to crash", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "exit":
            sys.exit("the licence has run out")
        if kind == "shape":
            self.results["forces"] = self.results["forces"][:-1]


def fault(atoms, share=0.3, faults=FAULTS, spare=0):
    """What goes wrong for a structure: chosen by its last digits, nothing for those of `spare` atoms."""
    if len(atoms) == spare:
        return ""
    digits = np.random.default_rng(np.frombuffer(atoms.positions.tobytes(), np.uint32))
    return str(digits.choice(faults)) if digits.random() < share else ""


class EnergyOnly(Calculator):
    """The energy of `Pairs`, no forces, as of coupled-cluster or quantum Monte Carlo methods."""

    implemented_properties = ("energy",)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """The energy."""
        super().calculate(atoms, properties, system_changes)
        pairs = Pairs()
        pairs.calculate(self.atoms)
        self.results = {"energy": pairs.results["energy"]}


def energy_only():
    """As a function, whose outcome nobody knows beforehand."""
    return EnergyOnly()


class Stressed(Pairs):
    """With the stress that `stress` says: voigt, matrix, broken, asked (only where it is asked for), or none."""

    def __init__(self, stress):
        super().__init__()
        self.kind = stress
        self.implemented_properties = (
            *self.implemented_properties,
            *(["stress"] if stress != "none" else []),
        )

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy, forces, stress."""
        super().calculate(atoms, properties, system_changes)
        known = {"voigt": STRESS, "matrix": STRESS_MATRIX, "broken": [1.0, 2.0], "asked": STRESS}
        if self.kind in known and (self.kind != "asked" or "stress" in properties):
            self.results["stress"] = np.array(known[self.kind])


STRESS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
STRESS_MATRIX = [[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]]


class Unconverged(Pairs):
    """Says in the way of `kind` that it did not converge."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        if kind == "method":
            self.converged = lambda: False
        if kind in ("scf", "mf"):
            setattr(self, kind, type("Loop", (), {"converged": np.bool_(False)})())

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy and forces that look like any others."""
        super().calculate(atoms, properties, system_changes)
        if self.kind == "attribute":
            self.converged = False
        if self.kind == "numpy":
            self.converged = np.all([False])
        if self.kind == "array":
            self.converged = np.array([True, False])
        if self.kind == "results":
            self.results["converged"] = False
        if self.kind == "printed":
            print("     convergence NOT achieved after 100 iterations: stopping")
        if self.kind == "file":
            os.makedirs("run")
            with open("run/dftb.out", "w") as file:
                file.write(" -> SCC is NOT converged, maximal SCC iterations exceeded")
        if self.kind == "sound":
            self.converged = lambda forces: False  # an optimiser's question
            self.results["converged"] = True
