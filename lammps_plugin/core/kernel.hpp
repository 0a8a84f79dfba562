// The hot loops, compiled once for each instruction set (isa/*.cpp) and chosen at run time (dispatch.cpp).
// Plain pointers only: no inline function of the standard library may be compiled for an instruction set that
// the machine might lack and then be shared by the linker.
//
// Layout. The functions of a species are sorted into blocks (see plan.hpp) and padded to whole vectors of W
// doubles; "row" below means one double a padded function. For a neighbour j of a site:
//   U[j][k] = exp(-eta_k (r_j - r_s)^2) f_c(r_j)      D[j][k] = (dU/dr) / r
// so that exp(-eta (r_ij^2 + r_ik^2)) f_c f_c = U_j U_k and no exponential is left in the triplet loop.
#pragma once

#include "activation.hpp"
#include "cutoff_form.hpp"

namespace alnn {

/// f_c is 1 until `inner` and 0 from `outer`, angstrom.
struct Cutoff {
  double inner, outer;
  CutoffForm form;
};

/// G2 functions of one neighbour species and cutoff.
struct RadialBlock {
  int species;
  int cutoff;   ///< index into ElementView::cutoffs
  int offset;   ///< first entry of the row
  int vectors;  ///< length in vectors
};

/// G5 functions of integer zeta, of one pair of neighbour species and one cutoff. Each lane of a vector holds
/// one (lambda, zeta), and vector v the v-th eta of that lane: the angular factor of a triplet is computed
/// once and serves all vectors.
struct AngularBlock {
  int species_a, species_b;
  int cutoff;
  int offset;
  int vectors;  ///< 1..max_vectors
  int bits;     ///< binary digits of the largest zeta - 1
  double
      delta;  ///< eta of each lane grows by this from vector to vector; negative if there is no such number
  bool by_moments;  ///< left out where a site takes its functions from moments
};

/// Where p(r; lower, cutoff) of docs/potential-file.md is above 0, and its shape.
struct Support {
  double lower, cutoff;
  bool asymmetric;
};

/// A radial function of compact support.
struct CompactRadial {
  int species;
  Support support;
  CutoffForm form;
  int place;  ///< in the row
};

/// One (1 + lambda cos)^zeta. `exponent` is zeta - 1 where that is an integer, else -1. Of compact functions
/// p(theta; left, right).
struct Angle {
  double lambda, zeta;
  int exponent;
  int place;  ///< in the row
  double left, right;
};

/// Angular functions that share exp(-eta (r - r_s)^2) f_c(r), or p(r; lower, cutoff).
struct Leg {
  double eta, r_s;
  Support support;
  int n;
  const Angle* angles;
};

/// Angular functions of one pair of neighbour species and one cutoff that are evaluated for a vector of
/// triplets at once: G4, whose third distance differs from triplet to triplet, G5 that no AngularBlock
/// takes, and those of compact support, which have no cutoff in common but the form of their flanks.
struct TripletBlock {
  int species_a, species_b, cutoff;
  bool opposite;  ///< the third leg counts: G4, narrow compact functions
  bool compact;
  CutoffForm form;  ///< of compact functions
  int row;          ///< of the first leg in SiteView::legs
  int n;
  const Leg* legs;
};

/// Radial functions of a moment block that are computed together, for a vector of neighbours at once.
struct RadialStep {
  enum class Kind { gaussians, polynomials };
  Kind kind;
  int n;
  const int* slots;  ///< [n] their places among the block's functions; -1: not needed (polynomials)
  double eta;        ///< Gaussians exp(-eta (r - r_s - i delta)^2), i = 0 .. n - 1
  double r_s, delta;
  double shrink;  ///< exp(-2 eta delta^2)
  double r_min;   ///< polynomials T_i(x), i = 0 .. n - 1, with x from -1 at r_min to 1 at the cutoff
};

/// Moments sum_j R_k(r_j) Y_lm(u_j) of the harmonics first .. first + n - 1 and the block's functions
/// 0 .. count - 1; that of harmonic h and function k is the variable `variable + (h - first) count + k`.
struct MomentRun {
  int first, n, count, variable;
};

/// Moments of the neighbours of one species within one cutoff. The harmonics, numbered l^2 + (0, 2m - 1 or
/// 2m), are d^m P_l(z)/dz^m times Re or Im (x + iy)^m: polynomials in the unit vector, not normalised.
struct MomentBlock {
  int species, cutoff;
  int n_functions;  ///< radial functions
  int row;          ///< of the first of them in SiteView::R
  int degree;       ///< largest l
  int n_steps, n_runs;
  const RadialStep* steps;
  const MomentRun* runs;
  int n_squares, squares;  ///< variables `squares + k` = sum_j R_k(r_j)^2 of the first n_squares functions
};

/// variable `out` = sum over n terms of a coefficient times a product of `degree` (1 or 2) variables.
struct ProductSum {
  int out, degree, n;
  const double* coefficients;  ///< [n]
  const int* factors;          ///< [n][degree] where they begin among [n_variables][W] doubles
};

/// What can be computed by moments: blocks give the first variables, sums the others, in this order.
struct MomentView {
  int n_blocks, n_sums;
  int first_variable, n_moments;  ///< the variables that blocks give
  const MomentBlock* blocks;
  const ProductSum* sums;
};

constexpr int max_width = 8;   ///< W of any kernel
constexpr int max_degree = 8;  ///< of harmonics
constexpr int max_vectors = 8;
constexpr int max_bits = 4;

struct LayerView {
  int n_in, n_out;
  const double* in_major;   ///< [n_in][n_out]
  const double* out_major;  ///< [n_out][n_in]
  const double* bias;
  Activation activation;
};

struct MemberView {
  const LayerView* layers;
  int n_layers;
};

/// What the kernel knows of the atoms of one species.
struct ElementView {
  int n_functions;  ///< in the file
  int row;          ///< padded length of a row
  int n_radial, n_angular, n_cutoffs, n_members, widest_layer, deepest_network;
  const RadialBlock* radial;
  const AngularBlock* angular;
  int n_compact;           ///< radial functions of compact support
  int n_triplets, n_legs;  ///< triplet blocks; legs of all of them
  const CompactRadial* compact;
  const TripletBlock* triplets;
  const Cutoff* cutoffs;
  const double *eta, *r_s, *lambda;  ///< [row]
  const double* zeta_bit[max_bits];  ///< [row] 1.0 where that binary digit of zeta - 1 is set
  const double* slope;               ///< [row] zeta lambda
  const int* position;  ///< [n_functions] where a function of the file stands in the row; -1: only by moments
  const double* prefactor;           ///< [n_functions] 2^(1 - zeta), else 1
  const double *mean, *inverse_std;  ///< [n_functions]; inverse_std 0 switches off
  const double *min, *max;           ///< [n_functions] training range, the margin included
  const MemberView* members;
  double energy_scale, shift;
  MomentView always;   ///< functions that are always computed by moments
  MomentView crowded;  ///< the others, where a site has at least `crowded_from` neighbours
  int crowded_from;
  int n_variables;        ///< of both together
  int n_moment_rows;      ///< radial functions of both together
  int moment_degree;      ///< largest of both
  const int* variable;    ///< [n_functions] the function's variable; -1: never computed by moments
  const bool* is_always;  ///< [n_functions] whether it belongs to `always`
};

/// Whether a value of function k is outside the training range.
inline bool is_outside(const ElementView& e, int k, double value) {
  return !(value >= e.min[k] && value <= e.max[k]);
}

/// Work space of one site. Neighbours are sorted by species: species s fills [begin[s], begin[s+1]).
struct SiteView {
  int n;  ///< neighbours
  int n_species;
  const int* begin;        ///< [n_species + 1]
  double *x, *y, *z;       ///< [padded n] neighbour minus site, angstrom
  double *r2, *inverse_r;  ///< [padded n]
  double *ux, *uy, *uz;    ///< [padded n] unit vectors
  double *fc, *dfc;        ///< [n_cutoffs][padded n] f_c and (d f_c / dr) / r
  int padded;              ///< padded n
  double *U, *D, *V;       ///< [n][row]; V[j] = d(sum over pairs)/dU[j]
  double* powers;          ///< (1 + lambda cos)^(zeta-1), a row part for each triplet, in loop order
  double* G;               ///< [row] without prefactor
  double* weight;          ///< [row] dE/dG
  double *legs, *dlegs;    ///< [n_legs][padded n] leg functions of triplets, (d/dr) / r
  double *R, *dR;          ///< [n_moment_rows][padded n] radial functions of moments, (dR/dr) / r
  double* Y;               ///< [(moment_degree + 1)^2][padded n] harmonics; scratch shared by sites
  double* B;               ///< [n_variables] dE/d(variable) of this site, gathered; scratch
  bool crowded;            ///< takes its functions from moments
  double *gx, *gy, *gz;    ///< [padded n] dE/d(x, y, z)
  double *ax, *ay, *az, *b, *radial, *q;  ///< [padded n] scratch
};

/// One network pass over up to W sites of one species, lane by lane.
struct BatchView {
  double* X;        ///< [n_functions][W] scaled descriptors
  double* dX;       ///< [n_functions][W] dE/dX, mean over members
  double* energy;   ///< [n_members][W] eV
  double* scratch;  ///< network_scratch(...) doubles
  double* hidden =
      nullptr;  ///< if wanted: [inputs of its last layer][W] what the first member's last layer sees
};

/// Neighbours of a site as the Monte Carlo code stores them.
struct ShellView {
  int n;
  const int* species;
  const double *ux, *uy, *uz;
  const double* rows;  ///< [n][stride]
  int stride;          ///< at least the row of the species
};

/// Where W sites see one particle, neighbour minus site, before and after its move, angstrom: x, y, z of all
/// lanes. Lanes that do not see it have it beyond all cutoffs.
struct LaneMove {
  int species;              ///< of the particle
  const double *from, *to;  ///< [3][W], aligned
};

/// A row of moments: those of ElementView::always, then those of `crowded`, each padded to whole vectors.
inline int padded_moments(const MomentView& view) {
  return (view.n_moments + max_width - 1) / max_width * max_width;
}

struct Kernel {
  const char* name;
  int width;  ///< W
  /// Descriptors of a site into G; with gradients also D, V and powers. Moments go to the site's lane of
  /// the variables.
  void (*descriptors)(const ElementView&, SiteView&, bool gradients, double* variables, int lane);
  /// The other variables of up to W sites, [n_variables][W], from the moments.
  void (*invariants)(const MomentView&, double* variables);
  /// Adds the derivatives by what they are made of, from the derivatives by the functions.
  void (*invariant_gradients)(const MomentView&, const double* variables, double* derivatives);
  /// dE/d(neighbour vectors) from weight and the site's lane of the derivatives, after
  /// descriptors(..., true).
  void (*gradients)(const ElementView&, SiteView&, const double* derivatives, int lane);
  /// Energies of a batch; with gradients also dX.
  void (*network)(const ElementView&, BatchView&, bool gradients);
  /// Row of U for one neighbour of given species at squared distance r2 (0 where the species has no part).
  void (*pair_row)(const ElementView&, int species, double r2, double* row);
  /// Adds sign * (everything that a neighbour of this species, unit vector and row contributes to G together
  /// with the others in the shell).
  void (*add_neighbor)(const ElementView&, int species, const double* unit, const double* row,
                       const ShellView&, double sign, double* G);
  /// The moments of W sites, [n_variables][W], from a row of each, and back into rows.
  void (*take_rows)(const MomentView&, const double* const* rows, double* variables);
  void (*give_rows)(const MomentView&, const double* variables, double* const* rows);
  /// One particle's part of the moments of W sites, taken where it was and given where it is; `gained`, if
  /// not null, collects what is given. `scratch` holds [2 n_moment_rows][W].
  void (*move_neighbor)(const ElementView&, const MomentView&, const LaneMove&, double* scratch,
                        double* variables, double* gained);
  /// The particle's own moments from what all its neighbours gained, if there is one species alone; `lane` is
  /// where its lane of the variables begins.
  void (*own_moments)(const MomentView&, const double* gained, double* lane);
  /// X of a batch from variables of sites that take all functions from moments.
  void (*scale)(const ElementView&, const double* variables, double* X);
};

/// Doubles of BatchView::scratch.
inline int network_scratch(const ElementView& e, int width) {
  return (e.deepest_network + 4) * e.widest_layer * width;
}

/// The kernel for the best instruction set of this machine, or the one named by the environment variable
/// ALNN_ISA (x86-64-v2, x86-64-v3, x86-64-v4) as far as the machine has it.
const Kernel& best_kernel();
/// All kernels that this machine can run, slowest first; `count` is set.
const Kernel* const* available_kernels(int* count);

}  // namespace alnn
