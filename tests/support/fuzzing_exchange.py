"""Damaged potentials of other packages."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from alnn.exchange.aenet_read import read_aenet
from alnn.exchange.command import checked
from alnn.exchange.n2p2_read import read_n2p2
from alnn.structures.files import read_labelled
from alnn.structures.foreign import Hints
from alnn.units import Units
from support.aenet import behler, chebyshev, of_one_species
from support.mutations import damaged
from support.n2p2 import water

_UNITS = Units(0.5, 27.0)
_WORDS = (
    "elements H O", "number_of_elements 2", "cutoff_type 6 0.5", "cutoff_type 0", "nnp_type 4", "normalize_nodes",
    "symfunction_short O 2 H 0.1 0.0 6.0", "global_symfunction_short 2 0.1 0 6", "global_symfunction_short 9 0.1 1 1 6",
    "symfunction_short O 22 H H -6 6 0 180 p2a", "symfunction_short O 20 H 0 6 e", "symfunction_short O 12 0.1 0 6",
    "symfunction_short O 25 -6 6 60 300 p3", "cutoff_alpha 0.1", "use_short_nn",
    "element_nodes_short O 1 3", "element_nodes_short O 5 4", "element_activation_short O p p l", "mean_energy 1",
    "conv_energy 0", "conv_length 1", "scale_symmetry_functions_sigma", "center_symmetry_functions", "#", "!", " a ",
    "element_hidden_layers_short O 0", "global_hidden_layers_short 99", "scale_min_short 2", "1.5-103", "2D5",
)  # fmt: skip


def n2p2_files() -> tuple[Callable[[random.Random], bytes], Callable[[Path], None]]:
    """One of the three files damaged; the first byte of an input says which."""
    example = water(normalisation=(-1.0, 3.0, 2.0))
    names = ("input.nn", "scaling.data", "weights.001.data")
    corpus = [
        example.input_nn().encode(),
        example.scaling_data().encode(),
        example.weights_data("H").encode(),
    ]

    def make(rng: random.Random) -> bytes:
        index = rng.choice((0, 0, 0, 1, 2))
        return bytes([index]) + damaged(corpus[index], corpus, rng, _WORDS)

    def read(path: Path) -> None:
        content, directory = path.read_bytes(), path.parent / "nnp"
        example.write(directory)
        (directory / names[content[0]]).write_bytes(content[1:])
        checked(read_n2p2(directory, _UNITS)[0], directory)

    return make, read


def aenet_files() -> tuple[Callable[[random.Random], bytes], Callable[[Path], None]]:
    """One of the files of a potential damaged; the first byte of an input says of which example it is."""
    examples = [behler(), of_one_species(), chebyshev("Ti"), chebyshev("Ti", "O")]

    originals = []
    with tempfile.TemporaryDirectory() as folder:
        for example in examples:
            both = [example.write(Path(folder), binary)[0].read_bytes() for binary in (True, False)]
            originals.append(both)

    def make(rng: random.Random) -> bytes:
        index = rng.randrange(len(examples))
        return bytes([index]) + damaged(
            rng.choice(originals[index]), originals[index], rng, ("Behler2011", "chebyshev")
        )

    def read(path: Path) -> None:
        content, directory = path.read_bytes(), path.parent / "nets"
        directory.mkdir(exist_ok=True)
        paths = examples[content[0]].write(directory, True)
        paths[0].write_bytes(content[1:])
        checked(read_aenet(paths, _UNITS)[0], paths[0])

    return make, read


_DATA_WORDS = (
    "begin\n",
    "end\n",
    "lattice 1 0 0\n",
    "energy 1\n",
    "BEGIN_CFG\n",
    "END_CFG\n",
    "Size\n",
    "PRIMVEC\n",
    "ATOMS\n",
)


def data_files() -> tuple[Callable[[random.Random], bytes], Callable[[Path], None]]:
    """Labelled structures of other packages; the first byte of an input says which form it has."""
    names = ("input.data", "a.xsf", "train.cfg")
    corpus = [text.encode() for text in (_RUNNER, _XSF, _CFG)]

    def make(rng: random.Random) -> bytes:
        index = rng.randrange(len(names))
        return bytes([index]) + damaged(corpus[index], corpus, rng, _DATA_WORDS)

    def read(path: Path) -> None:
        content = path.read_bytes()
        named = path.with_name(names[content[0]])
        named.write_bytes(content[1:])
        read_labelled(named, hints=Hints(species=("Si", "O")))

    return make, read


_RUNNER = """begin
comment of a test
lattice 9.0 0.0 0.0
lattice 0.5 9.5 0.0
lattice 0.0 0.1 10.0
atom 0.0 0.0 0.1 Si 0.0 0.0 0.01 0.02 -0.03
atom 3.0 0.0 0.2 O 0.0 0.0 -0.01 -0.02 0.03
energy -75.25
charge 0.0
end
begin
atom 0.0 0.0 0.0 O 0.0 0.0 0.0 0.0 0.0
energy -75.0
end
"""
_XSF = """# total energy = -17.5 eV

CRYSTAL
PRIMVEC
 5.0 0.0 0.0
 0.0 5.0 0.0
 0.0 0.5 6.0
PRIMCOORD
 2 1
Si 0.0 0.0 0.0 0.1 0.2 0.3
O 1.6 0.0 0.1 -0.1 -0.2 -0.3
"""
_CFG = """BEGIN_CFG
 Size
    2
 Supercell
   5.0 0.0 0.0
   0.0 5.0 0.0
   0.0 0.5 6.0
 AtomData:  id type cartes_x cartes_y cartes_z fx fy fz
    1 0 0.0 0.0 0.0 0.1 0.2 0.3
    2 1 1.6 0.0 0.1 -0.1 -0.2 -0.3
 Energy
   -17.5
 PlusStress:  xx yy zz yz xz xy
   0.1 0.2 0.3 0.01 0.02 0.03
 Feature EFS_by VASP
END_CFG
"""
