// Where a particle is inserted and which one is removed: proposals of a swap with a vapour, as pure functions
// of the positions, the site energies and random numbers, with the probabilities that detailed balance needs.
//
// Aggregation-volume bias: B. Chen, J. I. Siepmann, J. Phys. Chem. B 104, 8725 (2000); for the growth of one
// cluster B. Chen, J. I. Siepmann, K. J. Oh, M. L. Klein, J. Chem. Phys. 115, 10903 (2001); energy-biased: T.
// D. Loeffler, A. Sepehri, B. Chen, J. Chem. Theory Comput. 11, 4023 (2015).
#pragma once

#include <vector>

#include "geometry.hpp"
#include "mc/philox.hpp"

namespace alnn {

enum class Swap {
  avbmc,    // targets and removed neighbours with equal probability
  ebavbmc,  // chosen by their site energies
  box       // anywhere in the box, any particle
};

struct SwapSettings {
  Swap kind = Swap::avbmc;
  double radius = 0.0;  // R_in, angstrom; not of `box`
  double beta = 0.0;    // 1/eV
  double bias = 0.0;    // of ebavbmc: insertion targets have the weight exp(bias beta E_i)

  bool needs_site_energies() const { return kind == Swap::ebavbmc; }
  /// Volume into which a particle is inserted, angstrom^3.
  double volume(const Box& box) const;
};

/// What a swap proposes.
struct TrialInsertion {
  int target = -1;  // -1: the box
  Vec3 position;
};

struct TrialRemoval {
  int target = -1;
  int particle = -1;  // -1: the target has no neighbour, so nothing is proposed
};

/// A particle more, placed uniformly in the sphere about a target or in the box.
TrialInsertion propose_insertion(const SwapSettings& settings, const std::vector<Vec3>& positions,
                                 const Box& box, const std::vector<double>& site_energies,
                                 const PhiloxCounter& words);

/// A neighbour of a target, or any particle.
TrialRemoval propose_removal(const SwapSettings& settings, const std::vector<Vec3>& positions, const Box& box,
                             const std::vector<double>& site_energies, const PhiloxCounter& words);

/// ln of the probability that `propose_insertion` chooses this target in this state; 0 for the box.
double log_insertion_target(const SwapSettings& settings, int target, int n,
                            const std::vector<double>& site_energies);

/// ln of the probability that `propose_removal` chooses this target and this particle in this state.
double log_removal(const SwapSettings& settings, const TrialRemoval& removal,
                   const std::vector<Vec3>& positions, const Box& box,
                   const std::vector<double>& site_energies);

}  // namespace alnn
