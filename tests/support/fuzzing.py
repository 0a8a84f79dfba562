"""The readers of files and damaged files for each: whatever a file holds, it is read or refused in one line."""

from __future__ import annotations

import io
import json
import random
import re
import tempfile
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ase.io
import h5py
import numpy as np
import yaml
from ase import Atoms

from alnn.campaign import settings as configuration
from alnn.campaign import store as campaign_store
from alnn.campaign.status import status
from alnn.descriptors import choose, kernel
from alnn.descriptors.settings import AUTOMATIC
from alnn.errors import AlnnError
from alnn.evaluation.errors import compare
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.properties import settings as properties_settings
from alnn.report.record import read_record, total_seconds
from alnn.strict_yaml import parse_model
from alnn.structures.files import read_labelled
from alnn.structures.labels import Label, LabelWriter, read_labels
from alnn.structures.pool import attach_label, read_structures, sealed, write_structures
from support.fuzzing_exchange import aenet_files, data_files, n2p2_files
from support.mutations import changed_document, damaged, to_json
from support.potentials import mixed_descriptors, random_potential

LONGEST_MESSAGE = 1000
READ, REFUSED, FAULT = "read", "refused", "fault"


@dataclass(frozen=True)
class Reader:
    """A reader by the name of what it reads: `make` draws a damaged file, `read` reads the file of that path."""

    name: str
    file: str
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], Any]


def outcome(reader: Reader, path: Path) -> tuple[str, str]:
    """READ, REFUSED with the message, or FAULT with what is wrong about it."""
    try:
        reader.read(path)
    except AlnnError as error:
        message = str(error)
        if len(message.splitlines()) != 1 or not message.isprintable():
            return FAULT, f"not one line: {message!r}"
        if len(message) > LONGEST_MESSAGE:
            return FAULT, f"message of {len(message)} characters: {message[:200]}"
        if "MemoryError" in message or "unable to allocate" in message.lower():
            return FAULT, f"asked for too much memory: {message}"
        return REFUSED, message
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return FAULT, "".join(traceback.format_exception(error))[-3000:]
    return READ, ""


def readers() -> dict[str, Reader]:
    """All readers by name."""
    made = (
        _yaml_reader("campaign", _campaigns(), _read_campaign),
        _yaml_reader("properties", _properties(), _read_properties),
        _potential_reader(),
        _extxyz_reader(),
        _foreign_reader(),
        _pool_reader(),
        _labels_reader(),
        _history_reader(),
        _settled_config_reader(),
        Reader("n2p2", "input", *n2p2_files()),
        Reader("aenet", "input", *aenet_files()),
        Reader("data", "input", *data_files()),
    )
    return {reader.name: reader for reader in made}


# ---- campaign and properties files ----------------------------------------------------------------

_YAML_WORDS = (
    "&a", "*a", "&a [*a]", "<<: *a", "<<: {seed: 1}", "!!python/object/apply:os.system [id]", "!!timestamp x",
    "!!int ''", "!!int x", "!!float ''", "!!bool maybe", "!!binary '*'", "!!set {a}", "!!omap [a: 1]", "!!pairs [a]",
    "!!str", "!x y", "? ", "? [a, b]\n: 1", "? {a: 1}\n: 1", "---\n", "...\n", "%YAML 9.9\n---\n", "%TAG ! x\n",
    "=", "<<",
    "2001-01-01", "2001-13-41", "2001-01-01 25:61:61", "12:30:45", "0b1", "0o8", ".nan", "-.inf", "1e5", "~", "|", ">",
    "|9\n", "'", '"\\x', '"\\ud800"', '"\\U00110000"', "@", "`", "\t", "#", ": ", "- ", "{", "[", "},", "]:",
    "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n", "1: 2\n", "null: 2\n", "true: 2\n", "seed: 1\n" * 2,
)  # fmt: skip


_CAMPAIGN = b"""directory: run
seed: 1
species: [W]
masses: {W: 18.015}
start: {cluster: 25}
descriptors: {preset: water-clusters, cutoff: 3.6}
training: {members: 4, hidden: [10, 10], activation: gelu}
sampling:
  sizes: [3, 60]
  metropolis: {runs: 8, temperature: [200, 450]}
  nested: {stage: 30}
selection: {method: committee, count: 5}
reference:
  lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]
stop: {max_calls: 200}
"""
_FUNCTIONS = b"""directory: run
species: [O, H]
start: {file: a.xyz}
descriptors:
  functions:
    O: [{type: G2, neighbors: [H], eta: 0.01, r_s: 0, cutoff: 3.5}]
    H:
    - {type: G5, neighbors: [O, H], eta: 0.01, lambda: 1, zeta: 2, cutoff: 3.5}
    - {type: chebyshev, radial_order: 2, angular_order: 1, radial_cutoff: 3, angular_cutoff: 3}
reference: {lammps: [pair_style zero]}
"""
_PROPERTIES = b"""directory: run
species: [W]
masses: {W: 18.015}
potentials:
  alnn: {file: latest.alnn}
  ML-BOP: {lammps: [pair_style tersoff]}
reference: ML-BOP
box: {atoms: {W: 512}, density: 1.0}
dynamics: {timestep: 10}
density:
  temperatures: [250, 300]
  mc: {potentials: [alnn], runs: 2, cycles: 100}
structure: {production: 100}
diffusivity: {window: [2, 10]}
"""


def _yaml_reader(name: str, corpus: list[bytes], read: Callable[[Path], Any]) -> Reader:
    """The first of the corpus are small and drawn often, for reading YAML is slow; the last holds every key."""
    documents = [yaml.safe_load(text) for text in corpus]

    def make(rng: random.Random) -> bytes:
        index = rng.randrange(len(corpus) - 1) if rng.random() < 0.95 else -1
        if rng.random() < 0.5:
            return damaged(corpus[index], corpus, rng, _YAML_WORDS)
        document = changed_document(documents[index], rng)
        text = _dumped(
            document, sort_keys=False, allow_unicode=rng.random() < 0.5, default_flow_style=rng.random() < 0.3
        )
        return damaged(text, corpus, rng, _YAML_WORDS) if rng.random() < 0.1 else text

    return Reader(name, f"{name}.yaml", make, read)


def _dumped(document: Any, **options: Any) -> bytes:
    fast = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=fast, **options).encode("utf-8", "surrogatepass")


def _campaigns() -> list[bytes]:
    whole = configuration.dump(configuration.parse(_CAMPAIGN.decode()))
    return [_CAMPAIGN, _FUNCTIONS, _dumped(whole, sort_keys=False)]


def _properties() -> list[bytes]:
    settings = parse_model(properties_settings.Properties, _PROPERTIES.decode(), "properties")
    return [_PROPERTIES, _dumped(settings.model_dump(mode="json"), sort_keys=False)]


def _read_campaign(path: Path) -> None:
    config = configuration.load(path)
    values = configuration.dump(config)
    configuration.changes(values, values)
    _dumped(values)
    config.all_masses()
    if config.descriptors.preset != AUTOMATIC:  # that reads nothing, and takes a second
        kernel(choose(config.descriptors, config.species), config.species)


def _read_properties(path: Path) -> None:
    from alnn.properties.tasks import tasks  # begins MPI: not before a process is forked

    settings = properties_settings.load(path)
    settings.all_masses()
    _dumped(settings.model_dump(mode="json"))
    for kind in ("density", "structure", "diffusivity"):
        tasks(settings, kind)


# ---- potential files ------------------------------------------------------------------------------


def potential_texts() -> list[bytes]:
    """Small potential files of every kind of function, of one species and of several, one member and a committee."""
    mixed = {s: functions[-5:] + functions[:3] for s, functions in mixed_descriptors().items()}
    single = {"W": random_potential().descriptors["W"][::4]}
    committee = random_potential(descriptors=single, hidden=(3,), members=2)
    return [
        replace(committee, grade={"W": np.tril(np.full((4, 4), 0.5))}).to_json().encode(),
        random_potential(species=("O", "H", "C"), descriptors=mixed, hidden=(2, 2)).to_json().encode(),
        random_potential(descriptors={"W": single["W"][:1]}, hidden=(), activation="gelu").to_json().encode(),
    ]


_JSON_WORDS = ("NaN", "chebyshev", "G4", "crc32:", '"checksum":"crc32:00000000"')


def damaged_potential(rng: random.Random, corpus: list[bytes], documents: list[Any]) -> bytes:
    """A damaged potential file, in two of three cases with a checksum that fits the damage or none."""
    if rng.random() < 0.4:
        text = damaged(rng.choice(corpus), corpus, rng, _JSON_WORDS)
    else:
        text = to_json(changed_document(rng.choice(documents), rng))
    fate = rng.randrange(3)
    if fate == 0:
        return text
    if fate == 1:
        return re.sub(rb',\s*"checksum": "[^"]*"', b"", text, count=1)
    at = text.rfind(b'"crc32:')
    if at < 0:
        return text
    blank = text[: at + 7] + b"00000000" + text[at + 15 :]
    return text[: at + 7] + b"%08x" % zlib.crc32(blank) + text[at + 15 :]


def _potential_reader() -> Reader:
    corpus = potential_texts()
    documents = [json.loads(text) for text in corpus]
    return Reader(
        "potential", "a.alnn", lambda rng: damaged_potential(rng, corpus, documents), _read_potential
    )


def _read_potential(path: Path) -> None:
    potential = Potential.read(path)
    dict(potential.training).get("structures", 0)
    known = [s for s in potential.species if s in ("W", "O", "H", "C")]
    if known:
        positions = np.random.default_rng(1).uniform(0, 6, (6, 3))
        atoms = Atoms([known[i % len(known)] for i in range(6)], positions)
        Evaluator(potential).evaluate([atoms], grades=potential.grade is not None)


# ---- structures -----------------------------------------------------------------------------------

_XYZ_WORDS = (
    "Properties=species:S:1:pos:R:3", "Properties=pos:R:1000000000", "Properties=species:S:1:pos:R:3:forces:R:3",
    "Properties=species:S:1:pos:R:-3", "Properties=Z:I:1:pos:R:3:move_mask:L:1", 'Lattice="1 0 0 0 1 0 0 0 1e-9"',
    'Lattice="0.01 0 0 0 0.01 0 0 0 0.01"', 'Lattice="nan 0 0 0 1 0 0 0 1"', 'Lattice="1e9 0 0 1e9 1e-9 0 0 0 1"',
    'pbc="T T T"', "pbc=T", 'pbc="F"', "energy=nan", "energy=x", "energy=[1,2]", 'forces="1 2 3"', "stress=1",
    'virial="1 2"',
    "_JSON [", 'a=_JSON {"b": [1]}', "VEC1 1 0 0\n", "1000000000\n", "-5\n", "0\n\n", "\n", "W 0 0 0\n", "Xx 0 0 0\n",
    "1e9",
    '"', "{", "}", "[", "=", "==", "\\", "\u00a0", "magmom=1", "free_energy=2", "charge=1", "dipole=1",
)  # fmt: skip


def some_structures(count: int = 4, periodic: bool = True, seed: int = 5) -> list[Atoms]:
    """Labelled structures of one to six atoms."""
    random = np.random.default_rng(seed)
    structures = []
    for index in range(count):
        n = 1 + index % 6
        grid = np.array([[x, y, 0.0] for x in range(3) for y in range(2)])[:n]
        atoms = Atoms("W" * n, 2.5 * grid + random.uniform(0, 0.3, (n, 3)))
        if periodic and index % 2:
            atoms.set_cell(np.diag([9.0, 8.0, 7.0]) + np.tril(random.uniform(0, 1, (3, 3))))
            atoms.pbc = True
        atoms.info["origin"] = f"seed {index} ü"
        stress = random.normal(size=6) if atoms.pbc.all() else None
        attach_label(atoms, float(random.normal()), random.normal(size=(n, 3)), stress)
        structures.append(atoms)
    return structures


def _written(format: str, structures: Any, suffix: str = "") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        ase.io.write(path, structures, format=format, parallel=False)
        return path.read_bytes()


def _extxyz_reader() -> Reader:
    structures = some_structures(6)
    corpus = [
        _written("extxyz", structures),
        _written("extxyz", structures[3]),
        _written("xyz", structures[2]),
    ]
    measured = random_potential(descriptors={"W": random_potential().descriptors["W"][::6]}, hidden=(2,))

    def read(path: Path) -> None:
        compare(measured, read_labelled(path).structures)

    return Reader(
        "extxyz", "a.extxyz", lambda rng: damaged(rng.choice(corpus), corpus, rng, _XYZ_WORDS), read
    )


def _foreign_reader() -> Reader:
    """Other formats of ASE; the first byte of an input says under which name the rest is read."""
    structures = some_structures(6)
    names = {
        "a.xyz": "xyz", "a.cif": "cif", "POSCAR": "vasp", "XDATCAR": "vasp-xdatcar", "a.traj": "traj", "a.json": "json",
        "a.xsf": "xsf", "a.gen": "gen", "a.pdb": "proteindatabank", "a.cube": "cube", "a.res": "res", "a.cfg": "cfg",
    }  # fmt: skip
    corpus = [_written(format, structures[5]) for format in names.values()]

    def make(rng: random.Random) -> bytes:
        index = rng.randrange(len(corpus))
        return bytes([index]) + damaged(corpus[index], corpus, rng, _XYZ_WORDS)

    def read(path: Path) -> None:
        content = path.read_bytes()
        named = path.with_name(list(names)[content[0]])
        named.write_bytes(content[1:])
        read_labelled(named)

    return Reader("foreign", "input", make, read)


# ---- pool files -----------------------------------------------------------------------------------


def _pool_reader() -> Reader:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0000.h5"
        corpus = []
        for structures in (some_structures(5), some_structures(1), []):
            write_structures(path, structures)
            corpus.append(path.read_bytes())

    def make(rng: random.Random) -> bytes:
        content = rng.choice(corpus[:2]) if rng.random() < 0.95 else corpus[2]
        if rng.random() < 0.6:
            return damaged(
                content, corpus, rng, ("crc32", "alnn-structures crc32:", "TREE", "SNOD", "HEAP", "OHDR")
            )
        return sealed(_changed_pool(content, rng))

    return Reader("pool", "0000.h5", make, read_structures)


def _changed_pool(content: bytes, rng: random.Random) -> bytes:
    """A whole HDF5 file with other datasets, shapes, types and attributes, as another program might write it."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        for _ in range(rng.choice((1, 1, 2))):
            _change_pool(file, rng)
    return buffer.getvalue()


def _remove(file: h5py.File, name: str) -> None:
    if name in list(file):
        del file[name]


def _change_pool(file: h5py.File, rng: random.Random) -> None:
    names = list(file)
    name = rng.choice(names) if names else "energy"
    edit = rng.randrange(9)
    there = file.get(name, getlink=True)
    crc = file[name].attrs.get("crc32") if isinstance(there, h5py.HardLink) else None
    crc = None if crc is not None and isinstance(file[name], h5py.Group) else crc
    if edit == 0:
        _remove(file, name)
    elif edit == 1:  # nothing of it is on disk, but its shape asks for terabytes
        _remove(file, name)
        shape = rng.choice(((10**9,), (10**9, 3), (2**40,), (10**5, 3, 3), (0,), (3, 0), ()))
        kind = rng.choice(("f8", "i4", "i1", "S10", h5py.string_dtype()))
        file.create_dataset(name, shape, kind, chunks=True if shape and 0 not in shape else None)
    elif edit == 2:
        _remove(file, name)
        file.create_dataset(
            name, data=rng.choice(([1.0, 2.0], [[1]], "text", 5, b"x", [True], np.zeros((2, 3, 3))))
        )
    elif edit == 3:
        _remove(file, name)
        file.create_group(name).attrs["crc32"] = 1
    elif edit == 4:
        key = rng.choice(("format", "version", "species"))
        value = rng.choice(("x", 1, [1, 2], ["W"] * 200, "W", ["\n"], [b"W"], ["Xx"], [], np.nan, 10**9))
        file.attrs[key] = value if value != [] else h5py.Empty("f8")
    elif edit == 5:
        file.attrs.pop(rng.choice(("format", "version", "species")), None)
    elif edit == 6:
        _remove(file, name)
        elsewhere = h5py.SoftLink("/nowhere"), h5py.SoftLink(f"/{name}"), h5py.ExternalLink("/dev/zero", "/x")
        file[name] = rng.choice(elsewhere)
    elif edit == 7 and crc is not None:
        file[name].attrs["crc32"] = rng.choice((0, -1, 1.5, "x", [1, 2], 2**63))
    elif crc is not None and name != "origin" and file[name].size:
        data = file[name][...]
        flat = data.reshape(-1)
        flat[rng.randrange(flat.size)] = rng.choice((0, 1, 100, 127)) if data.dtype.kind != "f" else np.nan
        if rng.random() < 0.3:
            data = flat
        file.pop(name)
        symbols = [str(s) for s in np.atleast_1d(file.attrs.get("species", []))] if name == "species" else []
        start = zlib.crc32(json.dumps(symbols).encode()) if name == "species" else 0
        file.create_dataset(name, data=data).attrs["crc32"] = zlib.crc32(data.tobytes(), start)


# ---- labels, history and settings of a campaign's directory ----------------------------------------


def _damaged_lines(records: list[dict], share: float, rng: random.Random) -> list[bytes]:
    """Records as lines of JSON, a share of them changed, and now and then one line damaged as text."""
    lines = [to_json(changed_document(r, rng) if rng.random() < share else r) for r in records]
    if rng.random() < 0.3:
        k = rng.randrange(len(lines))
        lines[k] = damaged(lines[k], lines, rng).replace(b"\n", b" ")
    return lines


def _labels_reader() -> Reader:
    with tempfile.TemporaryDirectory() as folder:
        writer = LabelWriter(Path(folder) / "rank0000.jsonl")
        for atoms in some_structures(4):
            writer.append(atoms, Label(atoms.get_potential_energy(), atoms.get_forces()))
        writer.close()
        content = (Path(folder) / "rank0000.jsonl").read_bytes()
    records = [json.loads(line.partition(b" ")[2]) for line in content.splitlines()]

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return damaged(content, [content], rng)
        lines = _damaged_lines(records, 0.4, rng)
        return b"".join(b"%08x %b\n" % (zlib.crc32(line), line) for line in lines)

    def read(path: Path) -> None:
        read_labels(path.parent)
        LabelWriter(path).close()

    return Reader("labels", "labels/rank0000.jsonl", make, read)


_HISTORY = {
    "iteration": 0, "structures": 1, "reference_calls": 1, "candidates": 20, "labelled": 4, "added": 3,
    "train": {"structures": 1, "energy_mae": 0.01, "seconds": 1.0, "epochs": 5}, "committee_spread": 0.002,
    "committee_spread_max": 0.01, "seconds": {"train": 1.0, "sample": 0.5, "select": 0.1, "label": 0.2}, "wall": 1.9,
    "trouble": {"stuck": 1},
}  # fmt: skip


def _history_reader() -> Reader:
    records = [{**_HISTORY, "iteration": k, "structures": 1 + 3 * k} for k in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        for record in records:
            campaign_store.Store(folder).record(record)
        content = (Path(folder) / "history.jsonl").read_bytes()

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return damaged(content, [content], rng)
        lines = _damaged_lines(records, 0.5, rng)
        return b"".join(line + b"\n" for line in lines)

    return Reader("history", "history.jsonl", make, _read_directory)


def _read_directory(path: Path) -> None:
    if not (path.parent / "config.yaml").exists():
        (path.parent / "config.yaml").write_text("directory: run\n")
    status(path.parent)
    record = read_record(path.parent)
    total_seconds(record.history)


def _settled_config() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        store = campaign_store.Store(Path(folder) / "run")
        store.prepare(configuration.parse(_CAMPAIGN.decode()), {"alnn": "0.1.0", "numpy": "2.0"})
        store.close()
        return (Path(folder) / "run" / "config.yaml").read_bytes()


def _settled_config_reader() -> Reader:
    content = _settled_config()
    document = yaml.safe_load(content)

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.6:
            return damaged(content, [content], rng, _YAML_WORDS)
        return _dumped(changed_document(document, rng), sort_keys=False)

    return Reader("settled_config", "config.yaml", make, _read_directory)
