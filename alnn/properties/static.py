"""Properties at rest, of isomers and crystals: energies through the farm of a campaign, by any potential.

Every energy is on disk at once, in `labels` of the potential's folder, and is found again by its structure; so a
killed command goes on where it ended, and other strains or crystals may be asked for later. What comes of them is a
JSON file for each kind and potential, with the settings that it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn.errors import PropertyError, ReferenceError_
from alnn.parallel.files import write_text_atomically
from alnn.parallel.ranks import Ranks
from alnn.properties import crystals, isomers
from alnn.properties.settings import Properties
from alnn.properties.simulation import claim
from alnn.properties.tasks import contents, pair_lines
from alnn.reference.farm import Farm
from alnn.reference.open_farm import open_farm
from alnn.reference.quarantine import Failure
from alnn.reference.settings import Labelling

Say = Callable[[str], None]


def run_static(settings: Properties, out: Path, kinds: Sequence[str], ranks: Ranks, say: Say) -> None:
    """Work out each kind with each potential and write what was found; called on all ranks.

    What cannot be had of one potential is written down with the reason, and the others go on. Raises ConfigError and
    PropertyError for settings that cannot be.
    """
    names = list(settings.potentials)
    if settings.isomers is not None and settings.isomers.relaxed_by is not None:
        names.sort(key=lambda name: name != settings.isomers.relaxed_by)  # the others wait for its structures
    for name in names:
        asked = settings.potentials[name].kinds
        for kind in kinds if asked is None else [kind for kind in kinds if kind in asked]:
            found = _found(settings, out, name, kind, ranks)
            ranks.root(lambda kind=kind, name=name, found=found: _keep(settings, out, name, kind, found))
            say(f"properties: {kind} of {name}{': ' + found['failed'] if 'failed' in found else ''}")


def _found(settings: Properties, out: Path, name: str, kind: str, ranks: Ranks) -> dict[str, Any]:
    """What a kind gives with a potential, or why it gives nothing."""
    farm = None
    try:
        farm = _farm(settings, out, name, kind, ranks)
        return _WORK[kind](settings, out, name, farm)
    except (PropertyError, ReferenceError_) as error:
        return {"failed": str(error)}
    finally:
        if farm is not None:
            farm.close()


def single_atom(settings: Properties, found: Mapping[str, Any], name: str) -> float | None:
    """The energy of a single atom that cohesive energies of a potential are counted from; `found` of polymorphs."""
    return found.get(settings.potentials[name].atom or name, {}).get("atom")


def read_static(settings: Properties, out: Path, kind: str) -> dict[str, Any]:
    """What was found of a kind, by potential in the order of the file; with other settings it does not count."""
    found = {}
    for name in settings.potentials:
        path = _result(out, name, kind)
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["settings"] == _section(settings, kind):
                found[name] = kept["found"]
    return found


def _result(out: Path, name: str, kind: str) -> Path:
    return _folder(out, name, kind) / f"{kind}.json"


def _folder(out: Path, name: str, kind: str) -> Path:
    return out / "runs" / ("isomers" if kind == "isomers" else "crystals") / name


def _section(settings: Properties, kind: str) -> dict[str, Any]:
    section = settings.isomers if kind == "isomers" else settings.crystals
    assert section is not None
    return section.model_dump(mode="json", exclude={"published"})


def _keep(settings: Properties, out: Path, name: str, kind: str, found: dict[str, Any]) -> None:
    path = _result(out, name, kind)
    path.parent.mkdir(parents=True, exist_ok=True)  # where the potential could not even be opened
    value = {"settings": _section(settings, kind), "found": found}
    write_text_atomically(path, json.dumps(value, indent=1))


def _farm(settings: Properties, out: Path, name: str, kind: str, ranks: Ranks) -> Farm:
    """Labels by one potential, in a folder that belongs to it. Raises ConfigError where it belongs to another."""
    potential = settings.potentials[name]
    lines = None if potential.ase is not None else ranks.root(lambda: pair_lines(settings, name))
    folder = _folder(out, name, kind)
    ranks.root(lambda: claim(folder, _identity(settings, name, lines)))
    asked = Labelling(
        reference=potential.reference(lines),
        labels=potential.labels,
        species=settings.species,
        masses=settings.all_masses(),
        directory=str(folder),
        folder=str(settings.folder),
        forces=False,
    )
    return open_farm(asked, ranks)


def _identity(settings: Properties, name: str, lines: list[str] | None) -> dict[str, Any]:
    """What every energy depends on."""
    if lines is not None:
        return {"potential": contents(lines), "species": settings.species}
    described = settings.potentials[name].ase.model_dump(mode="json")
    return {
        "potential": {k: v for k, v in described.items() if k not in ("environment", "threads", "python")}
    }


def energies_of(farm: Farm) -> crystals.Energies:
    """Energies (eV) by the farm. Raises PropertyError where one cannot be had."""

    def energies(structures: Sequence[Atoms]) -> list[float]:
        outcomes = farm.label(list(structures))
        for outcome, atoms in zip(outcomes, structures, strict=True):
            if isinstance(outcome, Failure):
                raise PropertyError(
                    f"no energy of {atoms.symbols} in {atoms.get_volume():.4g} Å^3: {outcome.reason}"
                )
        return [outcome.energy for outcome in outcomes]

    return energies


def _guess(settings: Properties, name: str) -> float:
    section = settings.crystals
    return section.lattice.get(name, crystals.guess(element_of(settings), name))


def element_of(settings: Properties) -> str:
    """The chemical symbol of the crystals."""
    return settings.crystals.element or settings.species[0]


def _polymorphs(settings: Properties, out: Path, name: str, farm: Farm) -> dict[str, Any]:
    """Each crystal at its lowest energy, or why there is none, and the energy of a single atom."""
    section, element, energies = settings.crystals, element_of(settings), energies_of(farm)
    found: dict[str, Any] = {}
    for crystal in dict.fromkeys(section.structures):
        try:
            start = _guess(settings, crystal)
            best, _ = crystals.polymorph(energies, element, crystal, start, section.strain, section.points)
            found[crystal] = asdict(best)
        except PropertyError as error:
            found[crystal] = {"failed": str(error)}
    try:
        atom = energies([Atoms([element], [[0.0, 0.0, 0.0]])])[0]
    except PropertyError as error:
        return {"crystals": found, "atom": None, "no atom": str(error)}
    return {"crystals": found, "atom": atom}


def _equation_of_state(settings: Properties, out: Path, name: str, farm: Farm) -> dict[str, Any]:
    best, fit = _cubic(settings, farm)
    return {"a": best.a, **asdict(fit)}


def _cubic(settings: Properties, farm: Farm) -> tuple[crystals.Polymorph, crystals.EquationOfStateFit]:
    section = settings.crystals
    start = _guess(settings, section.cubic)
    return crystals.polymorph(
        energies_of(farm), element_of(settings), section.cubic, start, section.strain, section.points
    )


def _elastic_constants(settings: Properties, out: Path, name: str, farm: Farm) -> dict[str, Any]:
    section = settings.crystals
    best, fit = _cubic(settings, farm)
    atoms = crystals.crystal(element_of(settings), section.cubic, fit.volume)

    def relax(structure: Atoms) -> Atoms:
        return farm.ranks.root(lambda: farm.reference.minimize(structure))

    found = crystals.elastic_constants(energies_of(farm), relax, atoms, section.largest, section.step)
    return {"a": best.a, **asdict(found)}


def _isomers(settings: Properties, out: Path, name: str, farm: Farm) -> dict[str, Any]:
    """Energies and positions of the structures of the file, relaxed by this potential or by the one that is to."""
    section = settings.isomers
    given = farm.ranks.root(lambda: isomers.given(settings.folder / section.file, settings.species))
    if section.relaxed_by in (None, name):
        structures = isomers.relaxed(given, _folder(out, name, "isomers") / "relaxed", farm)
    else:
        others = farm.ranks.root(lambda: read_static(settings, out, "isomers").get(section.relaxed_by))
        structures = isomers.relaxed_by_another(given, others, section.relaxed_by, section.lowest)
    energies = energies_of(farm)([atoms for _, atoms in structures])
    return {
        "structures": [
            {
                "number": number,
                "name": given[number].info["name"],
                "formula": str(atoms.symbols.formula.format("hill")),
                "energy": energy,
                "moved": isomers.moved(given[number], atoms),
                "positions": np.asarray(atoms.positions).tolist(),
            }
            for (number, atoms), energy in zip(structures, energies, strict=True)
        ]
    }


_WORK: dict[str, Callable[[Properties, Path, str, Farm], dict[str, Any]]] = {
    "isomers": _isomers,
    "polymorphs": _polymorphs,
    "equation-of-state": _equation_of_state,
    "elastic-constants": _elastic_constants,
}
