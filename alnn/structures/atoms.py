"""Structures as ase.Atoms: checked, made at random, cut out of larger ones, and grown."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from ase import Atoms, units
from ase.data import chemical_symbols
from ase.geometry.cell import complete_cell
from ase.neighborlist import neighbor_list

from alnn.errors import StructureError

SMALLEST_DISTANCE = 0.3
"""Å; atoms closer than this are taken for a mistake in the file where nothing stricter is asked for."""

LARGEST_COORDINATE = 1e6
"""Å; what lies beyond is a damaged number, and neighbours cannot be found there."""

_REACH = 3.0  # Å, within which a periodic cell may have ...
_MOST_IMAGES = 2000  # ... so many images: a flatter one takes for ever to search

DENSITY_UNIT = 1e24 / units.mol
"""g/mol/Å^3 in g/cm^3."""

_ATTEMPTS = 20_000
_AT_ONCE = 50


def validate(
    atoms: Atoms,
    species: Sequence[str] | None = None,
    rmin: float = SMALLEST_DISTANCE,
    where: str = "structure",
) -> None:
    """Raise StructureError, with the atom's index, for what no calculation should start from.

    That is: no atoms, a number that is not finite or huge, a species that is not in `species`, a periodic cell
    without volume or nearly so, or two atoms closer than `rmin` (Å), periodic images included.
    """
    if len(atoms) == 0:
        raise StructureError(f"{where}: expected at least one atom, found none")
    bad = np.flatnonzero(~(np.abs(atoms.positions) <= LARGEST_COORDINATE).all(axis=1))  # NaN is not either
    if len(bad):
        raise StructureError(
            f"{where}: atom {bad[0]}: expected finite coordinates up to {LARGEST_COORDINATE:g} Å, "
            f"found {atoms.positions[bad[0]]}"
        )
    strange = np.flatnonzero((atoms.numbers < 0) | (atoms.numbers >= len(chemical_symbols)))
    if len(strange):
        raise StructureError(
            f"{where}: atom {strange[0]}: expected an element, found number {atoms.numbers[strange[0]]}"
        )
    for index, symbol in enumerate(atoms.symbols):
        if species is not None and symbol not in species:
            raise StructureError(
                f"{where}: atom {index}: expected one of {', '.join(species)}, found {symbol}"
            )
    if not has_sound_cell(atoms, rmin):
        raise StructureError(
            f"{where}: expected a periodic cell with a volume, found {atoms.cell.array.tolist()}"
        )
    i, j, distance = neighbor_list("ijd", atoms, rmin)
    if len(i):
        k = int(np.argmin(distance))
        raise StructureError(
            f"{where}: atoms {min(i[k], j[k])} and {max(i[k], j[k])} overlap: expected at least {rmin:g} Å, "
            f"found {distance[k]:.3g} Å"
        )


def periodic_cell(atoms: Atoms) -> np.ndarray:
    """The cell (3, 3), Å, with unit vectors at right angles to the periodic ones in place of those that are not
    periodic, which say nothing: a slab has the same neighbours whatever its third vector is, zero among others.
    Without a volume where the periodic ones span no plane or line.
    """
    cell = atoms.cell.array.copy()
    if atoms.pbc.all() or not atoms.pbc.any():
        return cell
    cell[~atoms.pbc] = 0.0
    return complete_cell(cell) if np.linalg.matrix_rank(cell) == np.sum(atoms.pbc) else cell


def are_free(structures: Iterable[Atoms]) -> bool:
    """Whether none is periodic in any direction."""
    return not any(atoms.pbc.any() for atoms in structures)


def has_sound_cell(atoms: Atoms, rmin: float) -> bool:
    """Whether the cell is finite and, if periodic, has a volume and is not so flat that images pile up."""
    if not (np.abs(atoms.cell.array) <= LARGEST_COORDINATE).all():
        return False
    if not atoms.pbc.any():
        return True
    cell = periodic_cell(atoms)
    volume = abs(np.linalg.det(cell))
    if volume < 1e-6:
        return False
    areas = np.linalg.norm(np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0)), axis=1)
    images = 2 * np.ceil(max(rmin, _REACH) * areas / volume) + 1
    return bool(np.prod(images[atoms.pbc]) <= _MOST_IMAGES)


def is_connected(positions: np.ndarray, radius: float) -> bool:
    """Whether the graph "distance < radius" of a free cluster, positions (N, 3) in Å, is one piece
    (Stillinger).
    """
    near = _distances(positions, positions) < radius
    reached = np.zeros(len(positions), bool)
    reached[0] = True
    while True:
        grown = near[reached].any(axis=0)
        if (grown == reached).all():
            return bool(reached.all())
        reached = grown


def alternating(species: Sequence[str], size: int) -> list[str]:
    """Symbols of `size` atoms, the species in turn."""
    return [species[k % len(species)] for k in range(size)]


def random_cluster(
    symbols: Sequence[str], rmin: float, radius: float, random: np.random.Generator, compactness: int = 8
) -> Atoms:
    """A free cluster grown atom by atom, each next to one that is there already.

    Every atom has a neighbour within `radius` (Å) and none within `rmin`. Of `compactness` possible places
    the one nearest to the centre is taken: 1 gives strings and branches, 8 a compact droplet. Raises
    StructureError if no place is left.
    """
    cluster = Atoms([symbols[0]], [[0.0, 0.0, 0.0]])
    return grow_cluster(cluster, symbols[1:], rmin, radius, random, compactness)


def random_planar(symbols: Sequence[str], rmin: float, radius: float, random: np.random.Generator) -> Atoms:
    """A flat cluster grown atom by atom, compact in its plane, within `rmin` and `radius` (Å) as `random_cluster`.

    Raises StructureError if no place is left.
    """
    positions = np.zeros((1, 3))
    while len(positions) < len(symbols):
        angles = random.uniform(0.0, 2.0 * np.pi, 400)
        steps = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(400)])
        steps *= random.uniform(rmin, radius, (400, 1))
        places = positions[random.integers(len(positions), size=400)] + steps
        distances = _distances(places, positions).min(axis=1)
        free = places[distances >= rmin][:8]
        if not len(free):
            raise StructureError(
                f"no room for another atom at {rmin:g} Å or more from {len(positions)} others"
            )
        nearest = np.argmin(np.linalg.norm(free - positions.mean(axis=0), axis=1))
        positions = np.vstack([positions, free[nearest]])
    return Atoms(list(symbols), positions - positions.mean(axis=0))


def random_box(
    symbols: Sequence[str],
    density: float,
    masses: Mapping[str, float],
    rmin: float,
    random: np.random.Generator,
) -> Atoms:
    """Atoms at random in a periodic cube of `density` (g/cm^3), masses in g/mol, no two within `rmin` (Å) of one
    another (random sequential addition). Raises StructureError if no place is left.
    """
    edge = (sum(masses[s] for s in symbols) * DENSITY_UNIT / density) ** (1 / 3)
    positions = np.zeros((0, 3))
    for _ in symbols:
        for _ in range(_ATTEMPTS // _AT_ONCE):
            places = random.uniform(0.0, edge, size=(_AT_ONCE, 3))
            d = places[:, None, :] - positions[None]
            d -= edge * np.round(d / edge)
            free = np.flatnonzero((np.sum(d**2, axis=2) >= rmin**2).all(axis=1))
            if len(free):
                break
        else:
            raise StructureError(
                f"no room for {len(symbols)} atoms at {rmin:g} Å or more from each other at {density:g} g/cm^3"
            )
        positions = np.vstack([positions, places[free[0]]])
    return Atoms(list(symbols), positions, cell=[edge] * 3, pbc=True)


def density(atoms: Atoms, masses: Mapping[str, float]) -> float:
    """g/cm^3 of a periodic structure, masses in g/mol."""
    return sum(masses[s] for s in atoms.symbols) * DENSITY_UNIT / atoms.get_volume()


def scaled_to_density(atoms: Atoms, wanted: float, masses: Mapping[str, float]) -> Atoms:
    """The structure with its cell and positions scaled alike to a density of `wanted` g/cm^3."""
    scaled = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    factor = (density(atoms, masses) / wanted) ** (1 / 3)
    scaled.set_cell(atoms.cell.array * factor, scale_atoms=True)
    return scaled


def smallest_distance(atoms: Atoms, reach: float) -> float:
    """The smallest distance of two atoms, periodic images included (Å); `reach` where none is closer."""
    distances = neighbor_list("d", atoms, reach)
    return float(distances.min(initial=reach))


def grow_cluster(
    cluster: Atoms,
    symbols: Sequence[str],
    rmin: float,
    radius: float,
    random: np.random.Generator,
    compactness: int = 1,
) -> Atoms:
    """A free cluster with atoms added as in `random_cluster`, centred on its mean position."""
    positions = cluster.positions.copy()
    for _ in symbols:
        places = [_free_place(positions, rmin, radius, random) for _ in range(compactness)]
        centre = positions.mean(axis=0)
        nearest = min(places, key=lambda place: float(np.sum((place - centre) ** 2)))
        positions = np.vstack([positions, nearest])
    return Atoms([*cluster.symbols, *symbols], positions - positions.mean(axis=0))


def cut_cluster(atoms: Atoms, size: int, radius: float, random: np.random.Generator) -> Atoms:
    """`size` atoms of a free cluster that hang together: a random one, then always the nearest to it that
    touches.
    """
    distance = _distances(atoms.positions, atoms.positions)
    centre = int(random.integers(len(atoms)))
    chosen = [centre]
    while len(chosen) < min(size, len(atoms)):
        touching = (distance[chosen] < radius).any(axis=0)
        touching[chosen] = False
        if not touching.any():
            raise StructureError(f"expected a cluster connected within {radius:g} Å, found it in pieces")
        candidates = np.flatnonzero(touching)
        chosen.append(int(candidates[np.argmin(distance[centre, candidates])]))
    piece = atoms[sorted(chosen)]
    piece.positions -= piece.positions.mean(axis=0)
    return Atoms(piece.symbols, piece.positions)


def resize_cluster(atoms: Atoms, size: int, rmin: float, radius: float, random: np.random.Generator) -> Atoms:
    """The cluster cut down or grown to `size` atoms; what is added is drawn from its own composition."""
    if size <= len(atoms):
        return cut_cluster(atoms, size, radius, random)
    symbols = list(atoms.symbols)
    added = [symbols[int(k)] for k in random.integers(len(symbols), size=size - len(symbols))]
    return grow_cluster(atoms, added, rmin, radius, random, compactness=4)


def _free_place(positions: np.ndarray, rmin: float, radius: float, random: np.random.Generator) -> np.ndarray:
    """A point between rmin and radius of a random atom, and not within rmin of any."""
    for _ in range(_ATTEMPTS):
        direction = random.normal(size=3)
        length = random.uniform(rmin, radius)
        place = positions[int(random.integers(len(positions)))] + direction * length / np.linalg.norm(
            direction
        )
        if np.min(np.sum((positions - place) ** 2, axis=1)) >= rmin**2:
            return place
    raise StructureError(f"no room for another atom at {rmin:g} Å or more from {len(positions)} others")


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None, :] - b[None, :, :], axis=-1)
