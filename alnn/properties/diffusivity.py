"""Self-diffusion by Einstein's relation, D = slope of the mean squared displacement / 6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alnn.properties.statistics import Estimate

CM2_PER_S = 1e-4  # of Å^2/ps
BOLTZMANN = 1.380649e-23  # J/K
_CUBIC = 2.837297  # of a cubic periodic box: I.-C. Yeh, G. Hummer, J. Phys. Chem. B 108, 15873 (2004)
_LONGEST = 2.0  # a block is at least so many times the window's end


@dataclass(frozen=True)
class Diffusion:
    """D (cm^2/s) of the box as it is and corrected to an endless one, with the curve that gave it.

    time (ps) and msd (Å^2): (n,), msd_error its standard error; blocks: pieces of runs the error comes from.
    """

    potential: str
    temperature: float
    value: Estimate
    correction: float
    time: np.ndarray
    msd: np.ndarray
    msd_error: np.ndarray
    blocks: int


def mean_squared_displacement(positions: np.ndarray) -> np.ndarray:
    """MSD (samples,) over all time origins, of unwrapped positions (samples, N, 3), by freud.

    The centre of mass is held: its drift is no diffusion.
    """
    import freud

    freud.parallel.set_num_threads(1)
    held = positions - positions.mean(axis=1, keepdims=True)
    return np.array(freud.msd.MSD(mode="window").compute(held.astype(np.float32)).msd, float)


def pieces(positions: np.ndarray, every: float, window_end: float, most: int = 5) -> list[np.ndarray]:
    """A run (samples, N, 3) cut into at most `most` blocks, each some times longer (ps) than the window."""
    fitting = int(len(positions) * every / (_LONGEST * window_end))
    return np.array_split(positions, max(1, min(most, fitting)))


def slope(time: np.ndarray, msd: np.ndarray, window: tuple[float, float]) -> float:
    """D (Å^2/ps) by a straight line through the MSD within the window (ps)."""
    inside = (time >= window[0] - 1e-9) & (time <= window[1] + 1e-9)
    return float(np.polyfit(time[inside], msd[inside], 1)[0]) / 6.0


def diffusion(
    potential: str,
    temperature: float,
    runs: Sequence[np.ndarray],
    every: float,
    window: tuple[float, float],
    edge: float,
    viscosity: float | None = None,
) -> Diffusion:
    """D from independent runs (samples, N, 3), `every` ps a sample; box `edge` in Å, viscosity in mPa s.

    The error is that of the mean over blocks of all runs, which are taken as independent.
    """
    curves = [mean_squared_displacement(p) for run in runs for p in pieces(run, every, window[1])]
    shown = min(min(map(len, curves)), round(_LONGEST * window[1] / every) + 1)
    msd = np.array([c[:shown] for c in curves])
    time = every * np.arange(shown)
    found = np.array([slope(time, c, window) for c in msd]) * CM2_PER_S
    n = len(found)
    spread = msd.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(shown, np.nan)
    error = float(found.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    extra = finite_size_correction(temperature, edge, viscosity) if viscosity is not None else 0.0
    value = Estimate(float(found.mean()) + extra, error)
    return Diffusion(potential, temperature, value, extra, time, msd.mean(axis=0), spread, n)


def finite_size_correction(temperature: float, edge: float, viscosity: float) -> float:
    """What a cubic periodic box takes from D (cm^2/s): xi k_B T / (6 pi eta L), eta in mPa s, L in Å."""
    return 1e4 * _CUBIC * BOLTZMANN * temperature / (6 * np.pi * 1e-3 * viscosity * 1e-10 * edge)
