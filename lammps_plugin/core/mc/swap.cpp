#include "mc/swap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mc/minimum_image.hpp"

namespace alnn {

namespace {

int one_of(int n, std::uint32_t word) {
  return static_cast<int>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(n)) >> 32);
}

/// An index with probability proportional to its weight; at least one weight is above 0.
int one_of(const std::vector<double>& weights, std::uint32_t word) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = uniform(word) * total;
  int last = -1;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    if (weights[k] == 0.0) continue;
    last = static_cast<int>(k);
    left -= weights[k];
    if (left < 0.0) break;
  }
  return last;
}

std::vector<int> neighbors_of(int i, const std::vector<Vec3>& positions, const Box& box, double radius) {
  const MinimumImage image(box);
  std::vector<int> found;
  for (std::size_t j = 0; j < positions.size(); ++j)
    if (static_cast<int>(j) != i && norm2(image(positions[j] - positions[i])) < radius * radius)
      found.push_back(static_cast<int>(j));
  return found;
}

/// exp(factor E), scaled so that the largest is 1.
std::vector<double> boltzmann_weights(const std::vector<double>& energies, double factor) {
  double largest = -INFINITY;
  for (const double e : energies) largest = std::max(largest, factor * e);
  std::vector<double> weights;
  for (const double e : energies)
    weights.push_back(largest == -INFINITY ? 0.0 : std::exp(factor * e - largest));
  return weights;
}

double log_share(const std::vector<double>& weights, std::size_t k) {
  return std::log(weights[k] / std::accumulate(weights.begin(), weights.end(), 0.0));
}

std::vector<double> energies_of(const std::vector<int>& particles, const std::vector<double>& site_energies) {
  std::vector<double> energies;
  for (const int j : particles) energies.push_back(site_energies[j]);
  return energies;
}

/// Of every particle the highest site energy among its neighbours, -infinity if it has none: it finds the
/// particles that are bound least.
std::vector<double> highest_neighbors(const std::vector<Vec3>& positions, const Box& box, double radius,
                                      const std::vector<double>& site_energies) {
  const MinimumImage image(box);
  std::vector<double> highest(positions.size(), -INFINITY);
  for (std::size_t i = 0; i < positions.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (norm2(image(positions[j] - positions[i])) < radius * radius) {
        highest[i] = std::max(highest[i], site_energies[j]);
        highest[j] = std::max(highest[j], site_energies[i]);
      }
  return highest;
}

Vec3 in_sphere(const Vec3& middle, double radius, double u, double v, double w) {
  const double r = radius * std::cbrt(u), z = 2.0 * v - 1.0, phi = 2.0 * M_PI * w;
  const double rho = std::sqrt(1.0 - z * z);
  return middle + r * Vec3{rho * std::cos(phi), rho * std::sin(phi), z};
}

Vec3 in_box(const Box& box, double a, double b, double c) {
  return a * Vec3{box.lx, 0.0, 0.0} + b * Vec3{box.xy, box.ly, 0.0} + c * Vec3{box.xz, box.yz, box.lz};
}

}  // namespace

double SwapSettings::volume(const Box& box) const {
  return kind == Swap::box ? box.volume() : 4.0 / 3.0 * M_PI * radius * radius * radius;
}

TrialInsertion propose_insertion(const SwapSettings& s, const std::vector<Vec3>& positions, const Box& box,
                                 const std::vector<double>& site_energies, const PhiloxCounter& words) {
  const double u = uniform(words[1]), v = uniform(words[2]), w = uniform(words[3]);
  if (s.kind == Swap::box) return {-1, in_box(box, u, v, w)};
  const int target = s.kind == Swap::avbmc
                         ? one_of(static_cast<int>(positions.size()), words[0])
                         : one_of(boltzmann_weights(site_energies, s.bias * s.beta), words[0]);
  return {target, in_sphere(positions[target], s.radius, u, v, w)};
}

TrialRemoval propose_removal(const SwapSettings& s, const std::vector<Vec3>& positions, const Box& box,
                             const std::vector<double>& site_energies, const PhiloxCounter& words) {
  const int n = static_cast<int>(positions.size());
  if (s.kind == Swap::box) return {-1, n > 0 ? one_of(n, words[1]) : -1};
  const bool biased = s.kind == Swap::ebavbmc;
  const int target =
      biased ? one_of(boltzmann_weights(highest_neighbors(positions, box, s.radius, site_energies), s.beta),
                      words[0])
             : one_of(n, words[0]);
  if (target < 0) return {};
  const std::vector<int> neighbors = neighbors_of(target, positions, box, s.radius);
  if (neighbors.empty()) return {target, -1};
  const int which = biased
                        ? one_of(boltzmann_weights(energies_of(neighbors, site_energies), s.beta), words[1])
                        : one_of(static_cast<int>(neighbors.size()), words[1]);
  return {target, neighbors[which]};
}

double log_insertion_target(const SwapSettings& s, int target, int n,
                            const std::vector<double>& site_energies) {
  if (s.kind == Swap::box) return 0.0;
  if (s.kind == Swap::avbmc) return -std::log(n);
  return log_share(boltzmann_weights(site_energies, s.bias * s.beta), target);
}

double log_removal(const SwapSettings& s, const TrialRemoval& removal, const std::vector<Vec3>& positions,
                   const Box& box, const std::vector<double>& site_energies) {
  const int n = static_cast<int>(positions.size());
  if (s.kind == Swap::box) return -std::log(n);
  const std::vector<int> neighbors = neighbors_of(removal.target, positions, box, s.radius);
  const auto which = std::find(neighbors.begin(), neighbors.end(), removal.particle) - neighbors.begin();
  if (which == static_cast<long>(neighbors.size())) return -INFINITY;  // lost by rounding at the radius
  if (s.kind == Swap::avbmc) return -std::log(n) - std::log(neighbors.size());
  const std::vector<double> targets =
      boltzmann_weights(highest_neighbors(positions, box, s.radius, site_energies), s.beta);
  return log_share(targets, removal.target) +
         log_share(boltzmann_weights(energies_of(neighbors, site_energies), s.beta), which);
}

}  // namespace alnn
