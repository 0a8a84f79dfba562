// The potential file (*.alnn) in memory: what it means, not how it is evaluated fast.
#pragma once

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "activation.hpp"
#include "cutoff_form.hpp"
#include "repulsion.hpp"

namespace alnn {

/// A potential file that is truncated, altered, of another format, or inconsistent.
struct PotentialError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One fully connected layer: a = activation(weights x + bias).
struct Layer {
  int n_in = 0, n_out = 0;
  std::vector<double> weights;  ///< [n_out][n_in]
  std::vector<double> bias;     ///< [n_out]
  Activation activation = Activation::linear;
};

using Network = std::vector<Layer>;

/// One descriptor component. Chebyshev expansions of the file are unrolled into one entry a polynomial.
///   G2, G4, G5: J. Behler, J. Chem. Phys. 134, 074106 (2011), Eqs. 6, 8, 9;
///   compact_*: M. P. Bircher, A. Singraber, C. Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021):
///   radial,
///     and angular ones, wide and narrow, the latter with a third factor, of the opposite side;
///   Chebyshev: N. Artrith, A. Urban, G. Ceder, Phys. Rev. B 96, 014112 (2017), Eqs. 3-7.
///   product: the average over the unit sphere of a product of projected densities, one for each factor,
///     rho(v) = sum_j w(species of j) T_order(x_j) f_c(r_j) P_degree(v . u_j)
///   with x from -1 at r_min to 1 at the cutoff. With one factor (of degree 0) that is a radial function,
///   with two it is the power spectrum and with three the bispectrum of A. P. Bartok, R. Kondor, G. Csanyi,
///   Phys. Rev. B 87, 184115 (2013), but for constant factors.
struct Function {
  enum class Type {
    G2,
    G4,
    G5,
    compact_radial,
    compact_wide,
    compact_narrow,
    chebyshev_radial,
    chebyshev_angular,
    product
  };
  struct Factor {
    int degree = 0, order = 0;
    int channel = 0;  ///< weights of the species: see factor_weight
  };
  static constexpr int most_factors = 3;

  Type type = Type::G2;
  int neighbors[2] = {-1, -1};                  ///< species of the neighbours; -1 = any (Chebyshev, product)
  double eta = 0.0;                             ///< 1/angstrom^2
  double r_s = 0.0;                             ///< angstrom (G2, G4, G5)
  double lambda = 1.0;                          ///< +1 or -1 (G4, G5)
  double zeta = 1.0;                            ///< >= 1 (G4, G5)
  double cutoff = 0.0;                          ///< angstrom; f_c is 0 from there
  double inner_cutoff = 0.0;                    ///< angstrom; f_c is 1 until there (G2, G4, G5, product)
  CutoffForm cutoff_form = CutoffForm::cosine;  ///< of compact functions: what either flank is
  double lower = 0.0;                           ///< angstrom; where it begins, may be below 0 (compact)
  double left = 0.0, right = 0.0;  ///< radians; where the angle's factor begins and ends (compact)
  bool asymmetric = false;         ///< flanks of the radial factor that are steeper inside (compact)
  int order = 0;                   ///< of the polynomial (Chebyshev)
  bool weighted = false;           ///< each term times the species weights of its neighbours (Chebyshev)
  int n_factors = 0;               ///< 1 .. most_factors (product)
  double r_min = 0.0;              ///< angstrom (product)
  Factor factors[most_factors];
};

/// Per-function statistics of the training set. std == 0 switches a function off.
struct Scaling {
  std::vector<double> mean, std, min, max;
};

/// What lies beyond `min` and `max` by less than this is not outside the training range: the last bits of the
/// training structures' own values depend on the order of their neighbours and on the processor, and the
/// eighth decimal of a position, where files end, moves a value by some 1e-7 of the range. The last term is
/// for functions whose values all vanish but for atoms just at the cutoff.
inline double range_margin(double min, double max) {
  constexpr double of_range = 1e-6, of_value = 1e-10, absolute = 1e-12;
  return of_range * (max - min) + of_value * std::max(std::abs(min), std::abs(max)) + absolute;
}

/// Everything that belongs to atoms of one species.
struct Element {
  std::string name;
  std::vector<Function> functions;
  Scaling scaling;
  double shift = 0.0;            ///< eV
  std::vector<Network> members;  ///< the committee's networks for this species
  std::vector<double> grade;     ///< see grade.hpp; empty: the file has none
};

struct Potential {
  std::vector<Element> elements;  ///< in the order of the file's species list
  double energy_scale = 1.0;      ///< eV
  double cutoff = 0.0;            ///< how far anything reaches: functions, repulsion; angstrom
  Repulsion repulsion;            ///< of nuclei, beside the networks
  /// Lines of LAMMPS for what the potential is only the rest to, and is not evaluated here.
  std::vector<std::string> baseline;

  int n_species() const { return static_cast<int>(elements.size()); }
  int n_members() const { return elements.empty() ? 0 : static_cast<int>(elements[0].members.size()); }
  bool has_grade() const { return !elements.empty() && !elements[0].grade.empty(); }
  int species_index(const std::string& name) const;  ///< -1 if the potential does not know it
};

bool is_compact(const Function& function);

/// A function in a few words for messages, such as "G5 of O and H, eta 0.01, lambda 1, zeta 2".
std::string describe(const Function& function, const Potential& potential);

/// Weight of a species in weighted Chebyshev functions: -1, 1; -1, 0, 1; -2, -1, 1, 2; ... (one species: 1).
double species_weight(int species, int n_species);

/// Weight of a neighbour's species in one factor of a product: in a product of one factor 1 for the species
/// neighbors[0] and 0 for others, else T_channel(t) of the Chebyshev weights scaled to -1 .. 1.
double factor_weight(const Function& function, int factor, int species, int n_species);

}  // namespace alnn
