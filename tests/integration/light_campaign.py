"""`alnn run` with linear networks fitted by ridge regression: starts in a second where TensorFlow takes many.

Run as a script: light_campaign.py CONFIG [options of alnn run]. Everything but the training is the real thing.
"""

import sys
import time

import numpy as np

from alnn import cli
from alnn.campaign import stages
from alnn.campaign.stages import RealStages, functions
from alnn.descriptors import compute
from alnn.potential import Layer, Potential, Scaling


class LightStages(RealStages):
    """The real stages but for the training."""

    def train(self, config, pool, previous, path, seed, ranks):
        ranks.root(lambda: self.fit(config, pool, path, seed))

    def fit(self, config, pool, path, seed):
        time.sleep(0.1)  # so that some kills hit the training
        descriptors = functions(config)
        table = compute(descriptors, config.species, pool)
        (symbol,) = config.species
        scaling = Scaling.of(table.values[symbol])
        x = (table.values[symbol] - scaling.mean) / np.where(scaling.std == 0, 1, scaling.std)
        x[:, scaling.std == 0] = 0
        sums = np.zeros((len(pool), x.shape[1]))
        np.add.at(sums, table.structure[symbol], x)
        energies = np.array([atoms.get_potential_energy() for atoms in pool])
        shift = float(np.mean(energies / table.n_atoms))
        random = np.random.default_rng(seed)
        members = []
        for _ in range(config.training.members):
            some = random.random(len(pool)) < 0.8
            a, b = sums[some], (energies - shift * table.n_atoms)[some]
            weights = np.linalg.solve(a.T @ a + 0.1 * np.eye(a.shape[1]), a.T @ b)
            members.append({symbol: [Layer(weights[None, :], np.zeros(1), "linear")]})
        training = {"structures": len(pool), "energy_mae": 0.0, "seconds": 0.0}
        Potential([symbol], descriptors, {symbol: scaling}, members, 1.0, {symbol: shift}, training).write(
            path
        )


if __name__ == "__main__":
    stages.RealStages = LightStages
    sys.exit(cli.main(["run", *sys.argv[1:]]))
