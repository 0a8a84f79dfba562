// The plain form of descriptors, networks and site energies: formula for formula, for any function type. The
// fast kernel is tested against it, and uses it for the function types that it does not vectorise.
#pragma once

#include <vector>

#include "geometry.hpp"
#include "potential.hpp"

namespace alnn {

/// The neighbours of one site, as vectors from the site (angstrom) and species indices.
struct Neighborhood {
  std::vector<Vec3> vectors;
  std::vector<int> species;
  int size() const { return static_cast<int>(vectors.size()); }
};

namespace reference {

/// Value of one function at a site. If `gradient` is given, adds weight * dG/d(vectors[j]) to gradient[j].
double evaluate_function(const Function& function, const Neighborhood& neighborhood, int n_species,
                         double weight = 0.0, Vec3* gradient = nullptr);

/// All functions of a species at a site, in the order of the file.
std::vector<double> descriptors(const Element& element, const Neighborhood& neighborhood, int n_species);

/// Activation and its derivative with respect to the argument.
double activate(Activation activation, double x, double* derivative);

/// Output y of a network for inputs x; dy/dx if wanted.
double network_output(const Network& network, const std::vector<double>& x, std::vector<double>* dy_dx);

/// Energy (eV) of one site, mean over the members, and its gradient with respect to the neighbour vectors.
double site_energy(const Potential& potential, int species, const Neighborhood& neighborhood,
                   std::vector<Vec3>* gradient, std::vector<double>* member_energies = nullptr);

}  // namespace reference
}  // namespace alnn
