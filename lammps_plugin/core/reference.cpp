#include "reference.hpp"

#include <cmath>

#include "reference_compact.hpp"
#include "reference_cutoff.hpp"
#include "sphere.hpp"

namespace alnn::reference {

namespace {

constexpr double pi = 3.14159265358979323846;

// T_n(x) and its derivative by the three-term recursion.
double chebyshev(int n, double x, double* derivative) {
  double t0 = 1.0, t1 = x, d0 = 0.0, d1 = 1.0;
  if (n == 0) {
    *derivative = 0.0;
    return 1.0;
  }
  for (int k = 2; k <= n; ++k) {
    const double t2 = 2.0 * x * t1 - t0;
    const double d2 = 2.0 * t1 + 2.0 * x * d1 - d0;
    t0 = t1, t1 = t2, d0 = d1, d1 = d2;
  }
  *derivative = d1;
  return t1;
}

bool is_radial(Function::Type type) {
  return type == Function::Type::G2 || type == Function::Type::compact_radial ||
         type == Function::Type::chebyshev_radial;
}

// Radial function of one neighbour at distance r, and its derivative.
double radial_term(const Function& f, double r, double* derivative) {
  if (is_compact(f)) return compact_leg(f, r, derivative);
  double dfc;
  const double fc = cutoff_function(f, r, &dfc);
  if (f.type == Function::Type::G2) {
    const double e = std::exp(-f.eta * (r - f.r_s) * (r - f.r_s));
    *derivative = e * (dfc - 2.0 * f.eta * (r - f.r_s) * fc);
    return e * fc;
  }
  double dt;
  const double t = chebyshev(f.order, 2.0 * r / f.cutoff - 1.0, &dt);
  *derivative = t * dfc + dt * (2.0 / f.cutoff) * fc;
  return t * fc;
}

// The part of an angular function that depends on the angle, and its derivative by cos(theta).
double angular_factor(const Function& f, double cosine, double* derivative) {
  if (f.type == Function::Type::chebyshev_angular) return chebyshev(f.order, cosine, derivative);
  if (is_compact(f)) return compact_angle(f, cosine, derivative);
  const double base = std::max(0.0, 1.0 + f.lambda * cosine);
  const double prefactor = std::pow(2.0, 1.0 - f.zeta);
  *derivative = prefactor * f.zeta * f.lambda * std::pow(base, f.zeta - 1.0);
  return prefactor * std::pow(base, f.zeta);
}

bool matches(const Function& f, int a, int b) {
  if (f.type == Function::Type::chebyshev_angular) return true;
  return (f.neighbors[0] == a && f.neighbors[1] == b) || (f.neighbors[0] == b && f.neighbors[1] == a);
}

// exp(-eta (r - r_s)^2) f_c(r) for one leg of a triplet, and its derivative divided by r.
double leg(const Function& f, double r, double* derivative_over_r) {
  if (is_compact(f)) {
    const double value = compact_leg(f, r, derivative_over_r);
    *derivative_over_r /= r;
    return value;
  }
  double dfc;
  const double fc = cutoff_function(f, r, &dfc), x = r - f.r_s;
  const double e = f.type == Function::Type::chebyshev_angular ? 1.0 : std::exp(-f.eta * x * x);
  *derivative_over_r = e * (dfc - 2.0 * f.eta * x * fc) / r;
  return e * fc;
}

double evaluate_radial(const Function& f, const Neighborhood& nb, int n_species, double weight,
                       Vec3* gradient) {
  double sum = 0.0;
  for (int j = 0; j < nb.size(); ++j) {
    if (f.type != Function::Type::chebyshev_radial && nb.species[j] != f.neighbors[0]) continue;
    const double r = std::sqrt(norm2(nb.vectors[j]));
    if (r >= f.cutoff) continue;
    const double s = f.weighted ? species_weight(nb.species[j], n_species) : 1.0;
    double derivative;
    sum += s * radial_term(f, r, &derivative);
    if (gradient) gradient[j] = gradient[j] + (weight * s * derivative / r) * nb.vectors[j];
  }
  return sum;
}

double evaluate_angular(const Function& f, const Neighborhood& nb, int n_species, double weight,
                        Vec3* gradient) {
  double sum = 0.0;
  for (int j = 0; j < nb.size(); ++j) {
    const Vec3 dj = nb.vectors[j];
    const double rj = std::sqrt(norm2(dj));
    if (rj >= f.cutoff) continue;
    double gj;
    const double uj = leg(f, rj, &gj);
    for (int k = j + 1; k < nb.size(); ++k) {
      if (!matches(f, nb.species[j], nb.species[k])) continue;
      const Vec3 dk = nb.vectors[k];
      const double rk = std::sqrt(norm2(dk));
      if (rk >= f.cutoff) continue;
      double gk, dangle;
      const double uk = leg(f, rk, &gk);
      const double cosine = dot(dj, dk) / (rj * rk);
      const double angle = angular_factor(f, cosine, &dangle);
      const double s =
          f.weighted ? species_weight(nb.species[j], n_species) * species_weight(nb.species[k], n_species)
                     : 1.0;
      double opposite = 1.0, gopposite = 0.0;  // the r_jk factor of G4 and narrow compact functions
      const Vec3 djk = dk - dj;
      if (f.type == Function::Type::G4 || f.type == Function::Type::compact_narrow) {
        const double rjk = std::sqrt(norm2(djk));
        if (rjk >= f.cutoff) continue;
        opposite = leg(f, rjk, &gopposite);
      }
      sum += s * angle * uj * uk * opposite;
      if (!gradient) continue;
      const double w = weight * s;
      const double common = w * uj * uk * opposite * dangle;
      const Vec3 dcos_j = (1.0 / (rj * rk)) * dk - (cosine / (rj * rj)) * dj;
      const Vec3 dcos_k = (1.0 / (rj * rk)) * dj - (cosine / (rk * rk)) * dk;
      const Vec3 pull = (w * angle * uj * uk * gopposite) * djk;
      gradient[j] = gradient[j] + common * dcos_j + (w * angle * gj * uk * opposite) * dj - pull;
      gradient[k] = gradient[k] + common * dcos_k + (w * angle * uj * gk * opposite) * dk + pull;
    }
  }
  return sum;
}

// T_order(x) f_c(r) of a factor of a product, and its derivative.
double factor_radial(const Function& f, const Function::Factor& factor, double r, double* derivative) {
  double dfc, dt;
  const double fc = cutoff_function(f, r, &dfc);
  const double scale = 2.0 / (f.cutoff - f.r_min);
  const double t = chebyshev(factor.order, scale * (r - f.r_min) - 1.0, &dt);
  *derivative = t * dfc + dt * scale * fc;
  return t * fc;
}

// By its definition: projected densities on points of the sphere that average their product exactly.
double evaluate_product(const Function& f, const Neighborhood& nb, int n_species, double weight,
                        Vec3* gradient) {
  int degree = 0;
  for (int i = 0; i < f.n_factors; ++i) degree += f.factors[i].degree;
  double sum = 0.0;
  for (const auto& [v, share] : sphere_rule(degree)) {
    double rho[Function::most_factors];
    std::vector<Vec3> slopes[Function::most_factors];
    for (int i = 0; i < f.n_factors; ++i) {
      rho[i] = 0.0;
      slopes[i].resize(nb.size());
      for (int j = 0; j < nb.size(); ++j) {
        const double r = std::sqrt(norm2(nb.vectors[j])), w = factor_weight(f, i, nb.species[j], n_species);
        const Vec3 u = (1.0 / r) * nb.vectors[j];
        double dradial, dlegendre;
        const double radial = factor_radial(f, f.factors[i], r, &dradial);
        const double projection = legendre(f.factors[i].degree, dot(u, v), &dlegendre);
        rho[i] += w * radial * projection;
        slopes[i][j] = (w * dradial * projection) * u + (w * radial * dlegendre / r) * (v - dot(u, v) * u);
      }
    }
    double product = share;
    for (int i = 0; i < f.n_factors; ++i) product *= rho[i];
    sum += product;
    if (!gradient) continue;
    for (int i = 0; i < f.n_factors; ++i) {
      double others = share * weight;
      for (int k = 0; k < f.n_factors; ++k)
        if (k != i) others *= rho[k];
      for (int j = 0; j < nb.size(); ++j) gradient[j] = gradient[j] + others * slopes[i][j];
    }
  }
  return sum;
}

// Half of the repulsion of all neighbours, whose sites have the other half.
double half_repulsion(const Potential& potential, int species, const Neighborhood& nb,
                      std::vector<Vec3>* gradient) {
  double energy = 0.0, slope;
  for (int j = 0; j < nb.size(); ++j) {
    energy += 0.5 * potential.repulsion.energy(species, nb.species[j], norm2(nb.vectors[j]), &slope);
    if (gradient) (*gradient)[j] = (*gradient)[j] + 0.5 * slope * nb.vectors[j];
  }
  return energy;
}

}  // namespace

double evaluate_function(const Function& f, const Neighborhood& nb, int n_species, double weight,
                         Vec3* gradient) {
  if (f.type == Function::Type::product) return evaluate_product(f, nb, n_species, weight, gradient);
  return is_radial(f.type) ? evaluate_radial(f, nb, n_species, weight, gradient)
                           : evaluate_angular(f, nb, n_species, weight, gradient);
}

std::vector<double> descriptors(const Element& element, const Neighborhood& nb, int n_species) {
  std::vector<double> values;
  for (const auto& f : element.functions) values.push_back(evaluate_function(f, nb, n_species));
  return values;
}

double site_energy(const Potential& potential, int species, const Neighborhood& nb,
                   std::vector<Vec3>* gradient, std::vector<double>* member_energies) {
  const Element& element = potential.elements[species];
  const int n_species = potential.n_species();
  const std::size_t n = element.functions.size();
  std::vector<double> x = descriptors(element, nb, n_species);
  for (std::size_t k = 0; k < n; ++k)
    x[k] = element.scaling.std[k] > 0.0 ? (x[k] - element.scaling.mean[k]) / element.scaling.std[k] : 0.0;
  double energy = 0.0;
  std::vector<double> weight(n, 0.0), dy_dx;
  const double share = 1.0 / element.members.size();
  if (member_energies) member_energies->clear();
  for (const auto& network : element.members) {
    const double e =
        potential.energy_scale * network_output(network, x, gradient ? &dy_dx : nullptr) + element.shift;
    energy += share * e;
    if (member_energies) member_energies->push_back(e);
    if (!gradient) continue;
    for (std::size_t k = 0; k < n; ++k)
      if (element.scaling.std[k] > 0.0)
        weight[k] += share * potential.energy_scale * dy_dx[k] / element.scaling.std[k];
  }
  if (gradient) {
    gradient->assign(nb.size(), Vec3{});
    for (std::size_t k = 0; k < n; ++k)
      evaluate_function(element.functions[k], nb, n_species, weight[k], gradient->data());
  }
  const double repulsion = half_repulsion(potential, species, nb, gradient);
  if (member_energies)
    for (double& e : *member_energies) e += repulsion;
  return energy + repulsion;
}

}  // namespace alnn::reference
