// What the files of this directory offer each other; all of it is per instruction set.
#pragma once

#include "kernel.hpp"

namespace alnn::ALNN_ISA {

// radial.cpp
/// Distances, unit vectors and cutoff functions of all neighbours.
void distances(const ElementView& e, SiteView& s);
/// G2 of one block into G; with gradients also D.
void radial_block(const ElementView& e, const RadialBlock& block, SiteView& s, bool gradients);
/// Adds dE/dr / r of all G2 to `radial`.
void radial_gradients(const ElementView& e, SiteView& s);
/// Radial functions of compact support into G, and their part of `radial`.
void compact_radial_functions(const ElementView& e, SiteView& s);
void compact_radial_gradients(const ElementView& e, SiteView& s);

// triplets.cpp
/// All angular functions into G; with gradients also D, V and powers.
void angular_functions(const ElementView& e, SiteView& s, bool gradients);
/// Their part of `radial`, and of a and b.
void angular_gradients(const ElementView& e, SiteView& s);

// triplet_lanes.cpp
/// Functions of all triplet blocks into G; legs and their derivatives.
void triplet_functions(const ElementView& e, SiteView& s);
/// Their part of `radial`, and of a and b.
void triplet_gradients(const ElementView& e, SiteView& s);

// moment_radial.cpp
/// R, and with gradients dR, of a block.
void moment_radial(const ElementView& e, const MomentBlock& block, SiteView& s, bool gradients);

// moments.cpp
/// Harmonics of all neighbours up to this degree into Y.
void harmonics(int degree, SiteView& s);
/// Moments of a block into the site's lane of the variables.
void moments(const MomentBlock& block, SiteView& s, double* variables, int lane);

// moment_gradients.cpp
/// A block's part of `radial`, and of a and b, from B.
void moment_gradients(const MomentBlock& block, SiteView& s);

// moment_move.cpp
void move_neighbor(const ElementView& e, const MomentView& view, const LaneMove& move, double* scratch,
                   double* variables, double* gained);
void own_moments(const MomentView& view, const double* gained, double* lane);

// moment_rows.cpp
void take_rows(const MomentView& view, const double* const* rows, double* variables);
void give_rows(const MomentView& view, const double* variables, double* const* rows);

// invariants.cpp
void invariants(const MomentView& view, double* variables);
void invariant_gradients(const MomentView& view, const double* variables, double* derivatives);
void scale(const ElementView& e, const double* variables, double* X);

// activations.cpp
/// Activation of n nodes in place; slopes may be null.
void activate_layer(Activation activation, int n, double* values, double* slopes);

// network.cpp
void network(const ElementView& e, BatchView& batch, bool gradients);

// one_neighbor.cpp
void pair_row(const ElementView& e, int species, double r2, double* row);
void add_neighbor(const ElementView& e, int species, const double* unit, const double* row,
                  const ShellView& shell, double sign, double* G);

}  // namespace alnn::ALNN_ISA
