// The nested ensemble: flat sampling under an energy cap that falls stage by stage.
//
// Each cap is the median of the energies below the last one, so stage k samples the fraction X_k = 2^-k of
// the configuration volume that stage 0 sampled without a cap (J. Skilling, Bayesian Anal. 1, 833 (2006); L.
// B. Partay, A. P. Bartok, G. Csanyi, J. Phys. Chem. B 114, 10502 (2010)).
//
// Where the volume moves, energies are enthalpies H = E + P V, and the configuration volume is the integral
// of dV V^N over the scaled coordinates (R. J. N. Baldock et al., Phys. Rev. B 93, 174108 (2016)).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mc/chain.hpp"

namespace alnn {

struct NestedSettings {
  std::int64_t cycles = 0;  // in all; a cycle is N attempted moves, and one of the volume if it moves
  std::int64_t stage = 0;   // cycles of a stage
  double displace = 0.3;    // half width of the displacement's cube, angstrom
  double cap = INFINITY;    // of the first stage, eV per particle; later ones are medians
  bool tune = false;        // bring the acceptances to 40 % between the stages (never within one)
  std::int64_t check = 1000;
  VolumeMoves volume;
  std::vector<double> temperatures;  // K; where the partition function is wanted
};

/// One stage. Energies in eV per particle.
struct Stage {
  int number = 0;
  double cap = INFINITY;       // of this stage
  double next_cap = INFINITY;  // median of the energies collected in it
  double log_volume = 0.0;     // ln X_k = -k ln 2
  double displace = 0.0, dlnv = 0.0;
  double mean = 0.0, lowest = INFINITY;
  std::int64_t samples = 0;                 // collected, i.e. at or below the cap
  MoveCounts counts;                        // of displacements
  MoveCounts volume_counts;                 // of volume moves
  bool at_cap = false;                      // the state at the end lies at or below the cap
  std::vector<double> log_boltzmann_shell;  // ln <exp(-beta E)> over energies above next_cap, per temperature
  std::vector<double> log_boltzmann_all;    // the same over all energies of the stage
};

enum class NestedEnd { cycles_used, stuck, stopped };

struct NestedResult {
  std::vector<Stage> stages;
  NestedEnd end = NestedEnd::cycles_used;
  std::int64_t cycles = 0;
  double displace = 0.0, dlnv = 0.0;  // of a stage that would follow
};

/// `energies`: those collected in the stage, eV in all, in no particular order.
using StageObserver =
    std::function<void(const Stage& stage, std::int64_t cycle, const std::vector<double>& energies)>;

/// Sample until the cycles are used or a stage accepts fewer than 1e-3 of its displacements. `end_of_stage`
/// sees every stage with the state at its end; `keep_going` is asked after every cycle.
NestedResult run_nested(const NestedSettings& settings, ChainState& state, Guards& guards, EnergyModel& model,
                        const RandomNumbers& random, const StageObserver& end_of_stage,
                        const std::function<bool(std::int64_t cycle)>& keep_going);

/// The smallest value with at least half of the samples at or below it; reorders `samples`, which must not be
/// empty.
double median(std::vector<double>& samples);

/// ln Z(beta) relative to the configuration volume of stage 0, for temperature `t` of the settings:
/// Z = sum_k (X_k - X_k+1) <exp(-beta E)> over the shell between two caps, plus X of the last stage.
double log_partition_function(const std::vector<Stage>& stages, std::size_t t);

}  // namespace alnn
