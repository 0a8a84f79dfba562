"""The nested ensemble with several walkers: one cap for all, the median over all their samples.

The walkers' chains are independent between two caps, so they may lie on any rank: what is found does not depend on
how many ranks there are.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

import numpy as np

from alnn.errors import SamplingError
from alnn.lammps_instance import lammps_word
from alnn.parallel.ranks import Ranks
from alnn.sampling.chains import Candidate, Chain
from alnn.sampling.runs import NestedRun

STUCK = 1e-3
"""Acceptance of a stage, all walkers taken together, below which a minimum is found (as in `mc nested`)."""


class NestedWalker:
    """One of the walkers: a chain that runs stage by stage under caps from outside."""

    def __init__(self, chain: Chain, run: NestedRun, seed: int) -> None:
        self._chain = chain
        self._seed = seed
        self._run = run.model_copy(update={"cycles": run.stage})

    def stage(self, number: int, cap: float) -> tuple[np.ndarray, float, list[Candidate]]:
        """Energies collected at or below `cap` (eV/atom, infinite for none), the acceptance, and the structure at the
        end if it is at or below the cap. Raises SamplingError.
        """
        seed = int(np.random.default_rng([self._seed, number]).integers(1, 2**31))
        samples = self._chain.scratch / "samples.txt"
        limit = [f"cap {cap:.17g}"] if np.isfinite(cap) else []
        found = self._chain(self._run, seed, *limit, f"samples {lammps_word(samples)}", stratum=number)
        steps = {"displace": self._chain.run_line.variable("mc_displace")}
        if self._run.pressure is not None:
            steps["dlnv"] = self._chain.run_line.variable("mc_dlnv")
        self._run = self._run.model_copy(update=steps)
        energies = np.fromfile(samples, sep="\n")
        return energies, self._chain.run_line.variable("mc_acceptance"), found


def sample_together(
    ranks: Ranks,
    open_chain: Callable[[int], AbstractContextManager[Chain]],
    run: NestedRun,
    seeds: Sequence[int],
) -> tuple[list[list[Candidate] | SamplingError], list[float]]:
    """What each walker found, or why it failed, and the cap (eV/atom) of each stage, the first infinite.

    `open_chain(k)` opens walker k at its start, on the rank that it will live on. A walker that fails is passed over;
    the others go on. Called on all ranks.
    """
    count = len(seeds)
    found: list[list[Candidate] | SamplingError] = [[] for _ in seeds]
    caps = [np.inf]
    with ExitStack() as closing:
        mine: dict[int, NestedWalker] = {}

        def advance(k: int) -> tuple[np.ndarray, float, list[Candidate]] | SamplingError:
            if isinstance(found[k], SamplingError):
                return found[k]
            try:
                if k not in mine:
                    mine[k] = NestedWalker(closing.enter_context(open_chain(k)), run, seeds[k])
                return mine[k].stage(len(caps) - 1, caps[-1])
            except SamplingError as error:
                return error

        for _ in range(max(run.cycles // run.stage, 1)):
            # The same share each time, failed walkers included: a chain stays on its rank.
            outcomes = ranks.map(advance, range(count))
            for k, outcome in enumerate(outcomes):
                if isinstance(outcome, SamplingError):
                    found[k] = outcome
                else:
                    found[k] += outcome[2]
            went_on = [outcome for outcome in outcomes if not isinstance(outcome, SamplingError)]
            if not went_on or np.mean([acceptance for _, acceptance, _ in went_on]) < STUCK:
                break
            caps.append(next_cap(caps[-1], [energies for energies, _, _ in went_on]))
    return found, caps


def next_cap(cap: float, energies: Sequence[np.ndarray]) -> float:
    """The median of the walkers' samples (eV/atom): the smallest with at least half of them at or below it. The old cap
    if there are none.
    """
    everything = np.concatenate(energies)
    if len(everything) == 0:
        return cap
    middle = (len(everything) - 1) // 2
    return float(np.partition(everything, middle)[middle])
