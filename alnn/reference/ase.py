"""Reference energies and forces from any ASE calculator, in a subprocess with an environment of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alnn.reference.process import ReferenceProcess
from alnn.reference.settings import AseCalculator


class AseReference(ReferenceProcess):
    """Labels structures by the calculator that `calculator` describes; {folder} in its strings becomes `folder`.

    Minima by BFGS, dynamics by Langevin's equation, both in the subprocess. Without `forces` a calculator that gives
    energies alone will do; with `stress` the stress of periodic structures is asked for. `options` are those of
    ReferenceProcess.
    """

    def __init__(
        self,
        calculator: AseCalculator,
        masses: Mapping[str, float],
        folder: Path | str,
        scratch: Path | str,
        forces: bool = True,
        stress: bool = False,
        **options: Any,
    ) -> None:
        home = str(Path(folder).resolve())
        described = calculator.model_dump(mode="json")
        settings = {
            "kind": "ase",
            "calculator": calculator.calculator,
            "arguments": _in_folder(described["arguments"], home),
            "masses": dict(masses),
            "folder": home,
            "forces": forces,
            "stress": stress,
            **{key: described[key] for key in ("reuse", "free_energy", "vacuum", "magnetic_moments")},
        }
        super().__init__(
            settings,
            scratch,
            environment=_in_folder(described["environment"], home),
            threads=calculator.threads,
            python=_in_folder(calculator.python, home),
            **options,
        )


def _in_folder(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return value.replace("{folder}", folder)
    if isinstance(value, list):
        return [_in_folder(part, folder) for part in value]
    if isinstance(value, dict):
        return {key: _in_folder(part, folder) for key, part in value.items()}
    return value
