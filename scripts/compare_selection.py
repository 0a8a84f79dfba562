"""How many labels each way of choosing them needs, on a labelled set: compare_selection.py FILE -o OUT.json [options].

Structures of FILE are split by size: every third size, from the second on, is kept to judge by, for frames of one
relaxation are alike. From a few random structures each method adds COUNT labels a round, retrained from fresh weights
on all that it has. Errors are those of the mean of the networks, on structures of the sizes kept aside.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from alnn.calculator import Evaluator
from alnn.campaign.selection import by_committee, by_distance, committee_spread
from alnn.campaign.stages import mean_descriptors
from alnn.descriptors import choose
from alnn.descriptors.settings import Descriptors
from alnn.parallel.files import write_text_atomically
from alnn.structures.files import read_labelled
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.greedy import Learned
from alnn.uncertainty.posterior import posterior

METHODS = ("random", "distance", "committee", "energy variance", "force variance")


def split(structures, rng, pool, test):
    sizes = sorted({len(atoms) for atoms in structures})
    kept = set(sizes[1::3])
    inside = [atoms for atoms in structures if len(atoms) not in kept]
    outside = [atoms for atoms in structures if len(atoms) in kept]
    pick = lambda found, count: [found[k] for k in rng.permutation(len(found))[:count]]  # noqa: E731
    return pick(inside, pool), pick(outside, test)


def errors(potential, test):
    found = Evaluator(potential).evaluate(test)
    energy = [(p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, test, strict=True)]
    forces = np.concatenate([(p.forces - a.get_forces()).ravel() for p, a in zip(found, test, strict=True)])
    energy = 1e3 * np.abs(energy)
    return {
        "energy_mae": float(energy.mean()),
        "energy_99": float(np.quantile(energy, 0.99)),
        "force_mae": float(1e3 * np.abs(forces).mean()),
    }


def chosen(method, potential, settings, pool, have, count, rng, seed):
    """Indices of the pool's structures to label next."""
    left = np.array(sorted(set(range(len(pool))) - set(have)))
    rest = [pool[k] for k in left]
    if method == "random":
        return left[rng.permutation(len(left))[:count]]
    if method in ("energy variance", "force variance"):
        known = posterior(potential, [pool[k] for k in have], settings, seed)
        by_forces = method == "force variance"
        found = Learned(potential, known).greedy(rest, count, by_forces=by_forces, threshold=0.0, seed=seed)
        return left[[k for k, _ in found]]
    features = mean_descriptors(potential, rest)
    if method == "distance":
        known = mean_descriptors(potential, [pool[k] for k in have])
        return left[[c.index for c in by_distance(features, known, count)]]
    predictions = Evaluator(potential).evaluate(rest)
    members = np.array([p.member_energies for p in predictions]).reshape(len(rest), -1)
    spread = committee_spread(members, np.array([len(a) for a in rest]))
    return left[[c.index for c in by_committee(spread, features, np.arange(len(rest)), count, 0.0, 0.05)]]


def run(method, structures, options, seed):
    rng = np.random.default_rng(seed)
    pool, test = split(structures, rng, options.pool, options.test)
    functions = choose(
        Descriptors(preset=options.preset), sorted({s for a in pool for s in a.symbols}), pool[:200]
    )
    settings = TrainingSettings(
        hidden=(options.hidden,) * 2,
        activation="gelu",
        members=options.members,
        steps=options.steps,
        forces="rows" if options.forces else "none",
        force_rows=options.forces or 30,
    )
    have, lines = list(map(int, rng.permutation(len(pool))[: options.count])), []
    while True:
        potential = fit_potential([pool[k] for k in have], functions, settings, seed=len(have))
        lines.append({"labels": len(have), **errors(potential, test)})
        print(method, seed, lines[-1], flush=True)
        if len(have) >= options.labels:
            return lines
        have += [
            int(k) for k in chosen(method, potential, settings, pool, have, options.count, rng, len(have))
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument(
        "--forces", type=int, default=0, help="force rows of each structure; 0: energies alone"
    )
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--count", type=int, default=20, help="labels a round")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--preset", default="auto", help="descriptor functions")
    parser.add_argument("--hidden", type=int, default=16, help="neurons of each of two layers")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--pool", type=int, default=6000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    structures = read_labelled(options.file).structures
    done = json.loads(options.output.read_text()) if options.output.exists() else {}
    for seed in range(1, options.seeds + 1):
        for method in options.methods.split(","):
            name = f"{method} {options.forces} {seed}"
            if name not in done:
                done[name] = run(method, structures, options, seed)
                write_text_atomically(options.output, json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
