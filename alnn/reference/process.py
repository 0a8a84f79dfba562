"""A reference method in a subprocess of its own: it may crash, hang or print whatever it likes.

A calculator that brings an MPI of its own, as many builds of density functional programs do, cannot share a process
with LAMMPS; here it meets neither LAMMPS nor the variables of mpirun.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ase import Atoms
from ase.io import write

from alnn.errors import PoolError, ReferenceError_
from alnn.reference import checked
from alnn.reference.worker import OUTPUT
from alnn.structures.labels import Label, structure_key

START_LIMIT = 600.0  # s, to import a calculator; file systems that many ranks share are slow
_SCRIPT = Path(__file__).with_name("worker.py")
PATIENCE = 10.0  # s, for a subprocess to end that has closed its pipe
_OF_MPIRUN = ("PMI", "HYDRA_", "HYDI_", "MPI", "OMPI_")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class ReferenceProcess:
    """A `Reference` whose work is done by `alnn.reference.worker` in a subprocess.

    `settings` is what the worker is told to compute with, `limit` (s) the time of one label, after which the subprocess
    is killed; the next label starts a new one. Each calculation has a working directory `scratch`/KEY that holds
    what it printed (output.txt) and is removed when it succeeds; `keep` says whether to keep those that
    "failed", "all" or "none".
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        scratch: Path | str,
        environment: Mapping[str, str] | None = None,
        threads: int = 1,
        python: str | None = None,
        limit: float | None = None,
        keep: str = "failed",
    ) -> None:
        self.calls = 0
        self._settings = dict(settings)
        self._scratch = Path(scratch)
        self._environment = child_environment(os.environ, environment or {}, threads)
        self._python = python or sys.executable
        self._limit = limit
        self._keep = keep
        self._process: subprocess.Popen | None = None
        self._requests = self._replies = -1
        self._printed: IO[bytes] | None = None

    def check(self) -> None:
        """Start the subprocess. Raises ReferenceError_ where it cannot, or the calculator cannot be found."""
        if self._process is not None:
            return
        to_child, self._requests = os.pipe()
        self._replies, from_child = os.pipe()
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process
        try:
            self._process = subprocess.Popen(
                [self._python, str(_SCRIPT), str(to_child), str(from_child)],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                env=self._environment,
                pass_fds=(to_child, from_child),
                start_new_session=True,
            )
        except OSError as error:
            raise ReferenceError_(f"reference: cannot start {self._python}: {error.strerror}") from error
        finally:
            os.close(to_child)
            os.close(from_child)
        self._ask(self._settings, START_LIMIT)

    def label(self, atoms: Atoms) -> Label:
        """Energy (eV) and forces (eV/Å). Raises ReferenceError_ for a fault of any kind, a time limit included, and
        PoolError where no working directory can be made.
        """
        label = self._compute("label", structure_key(atoms), self._limit, atoms)
        self.calls += 1
        return label

    def minimize(self, atoms: Atoms) -> Atoms:
        """The nearest minimum of the energy. Raises ReferenceError_."""
        return self._frames("minimize", atoms)[-1]

    def dynamics(
        self, atoms: Atoms, temperature: float, timestep: float, steps: int, every: int, seed: int
    ) -> list[Atoms]:
        """Structures of canonical dynamics. See `Reference`. Raises ReferenceError_."""
        settings = {
            "temperature": temperature,
            "timestep": timestep,
            "steps": steps,
            "every": every,
            "seed": seed,
        }
        return self._frames("dynamics", atoms, **settings)

    def close(self) -> None:
        """End the subprocess and everything it started, whatever they are doing."""
        process, self._process = self._process, None
        for descriptor in (self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._requests = self._replies = -1
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _frames(self, task: str, atoms: Atoms, **settings: Any) -> list[Atoms]:
        frames = []
        for positions in self._compute(task, task, None, atoms, **settings):
            frame = Atoms(atoms.symbols, positions, cell=atoms.cell, pbc=atoms.pbc)
            frame.wrap()
            frames.append(frame)
        return frames

    def _compute(self, task: str, name: str, limit: float | None, atoms: Atoms, **settings: Any) -> Any:
        """What the worker makes of one request, in a working directory of its own."""
        folder = (self._scratch / name).resolve()
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise PoolError(
                f"{folder}: cannot be made: {error.strerror}"
            ) from error  # no fault of the structure's
        request = {"do": task, "folder": str(folder), "arguments": {"structure": _plain(atoms), **settings}}
        try:
            self.check()
            value = self._ask(request, limit, folder / OUTPUT)
            if task == "label":
                value = checked(value["energy"], value["forces"], len(atoms), value.get("stress"))
        except ReferenceError_:
            if self._keep == "none":
                shutil.rmtree(folder, ignore_errors=True)
            else:
                # As all ranks together is how ASE would write otherwise; this is one rank's own doing.
                with contextlib.suppress(OSError):
                    write(folder / "structure.extxyz", Atoms(**_plain(atoms)), parallel=False)
            raise
        if self._keep != "all":
            shutil.rmtree(folder, ignore_errors=True)
        return value

    def _ask(self, request: Mapping[str, Any], limit: float | None, output: Path | None = None) -> Any:
        """The value of the worker's reply. Whatever happens but a reply ends the subprocess."""
        try:
            self._send(json.dumps(request).encode() + b"\n")
            reply = self._receive(limit)
        except BaseException:
            self.close()
            raise
        if reply is None:
            raise ReferenceError_(f"reference: {self._end()}{self._last_words(output)}")
        if "error" in reply:
            raise ReferenceError_(f"reference: {reply['error']}")
        return reply["value"]

    def _send(self, message: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended, which reading will tell
            while message:
                message = message[os.write(self._requests, message) :]

    def _receive(self, limit: float | None) -> dict[str, Any] | None:
        """The next reply, None where the subprocess ended without one. Raises ReferenceError_ after `limit` (s)."""
        deadline = None if limit is None else time.monotonic() + limit
        line = b""
        while not line.endswith(b"\n"):
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not select.select([self._replies], [], [], left)[0]:
                raise ReferenceError_(f"reference: not done within its time limit of {limit:g} s")
            part = os.read(self._replies, 1 << 20)
            if not part:
                return None
            line += part
        return json.loads(line)

    def _end(self) -> str:
        """How the subprocess ended."""
        assert self._process is not None
        try:
            status = self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            status = None
        self.close()
        if status is None:
            return "its subprocess closed the pipe that it should answer on"
        if status < 0:
            return f"its subprocess ended by signal {-status} ({signal.strsignal(-status)})"
        return f"its subprocess ended with exit status {status}"

    def _last_words(self, output: Path | None) -> str:
        """The last line printed, where there is one."""
        text = b""
        if output is not None and output.exists():
            text = output.read_bytes()[-2000:]
        elif output is None and self._printed is not None:
            self._printed.seek(0)
            text = self._printed.read()[-2000:]
        lines = text.decode(errors="replace").strip().splitlines()
        return f", after printing '{lines[-1].strip()[:200]}'" if lines else ""


def child_environment(
    surroundings: Mapping[str, str], environment: Mapping[str, Any], threads: int
) -> dict[str, str]:
    """The variables of a subprocess: those around it but for mpirun's, its number of threads, its own.

    With mpirun's variables an MPI of the calculator's own would take itself for a rank of this job.
    """
    kept = {name: value for name, value in surroundings.items() if not name.startswith(_OF_MPIRUN)}
    own = {name: str(value) for name, value in environment.items()}
    return {**kept, **dict.fromkeys(_THREADS, str(threads)), **own}


def _plain(atoms: Atoms) -> dict[str, Any]:
    """A structure as values that JSON can hold."""
    return {
        "symbols": list(atoms.symbols),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [bool(p) for p in atoms.pbc],
    }
