#include "potential_file/functions.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace alnn {

namespace {

constexpr double shortest_switch = 0.1;  // angstrom between the cutoffs
constexpr double largest_zeta = 10000.0;
constexpr int largest_order = 1000;  // of a Chebyshev polynomial

int known_species(const Node& node, const std::vector<std::string>& species) {
  const auto it = std::find(species.begin(), species.end(), node.text());
  if (it == species.end()) node.fail("species " + shown(node.value) + " is not in the file's species list");
  return static_cast<int>(it - species.begin());
}

void neighbor_species(const Node& node, const std::vector<std::string>& species, int count, Function& f) {
  const Node list = node.at("neighbors");
  if (static_cast<int>(list.size()) != count)
    list.fail("expected " + std::to_string(count) + " species, found " + std::to_string(list.size()));
  for (int i = 0; i < count; ++i) f.neighbors[i] = known_species(list.item(i), species);
  if (count == 2 && f.neighbors[0] > f.neighbors[1]) std::swap(f.neighbors[0], f.neighbors[1]);
}

void append_chebyshev(const Node& node, int n_species, std::vector<Function>& functions) {
  node.refuse_other_keys({"type", "radial_order", "angular_order", "radial_cutoff", "angular_cutoff"});
  const int orders[2] = {node.at("radial_order").integer(0, largest_order),
                         node.at("angular_order").integer(0, largest_order)};
  const double cutoffs[2] = {node.at("radial_cutoff").cutoff(), node.at("angular_cutoff").cutoff()};
  const Function::Type types[2] = {Function::Type::chebyshev_radial, Function::Type::chebyshev_angular};
  for (int weighted = 0; weighted < (n_species > 1 ? 2 : 1); ++weighted)
    for (int part = 0; part < 2; ++part)
      for (int n = 0; n <= orders[part]; ++n) {
        Function f;
        f.type = types[part];
        f.cutoff = cutoffs[part];
        f.order = n;
        f.weighted = weighted == 1;
        functions.push_back(f);
      }
}

}  // namespace

void append_functions(const Node& node, const std::vector<std::string>& species,
                      std::vector<Function>& functions) {
  const std::string type = node.at("type").text();
  if (type == "chebyshev") return append_chebyshev(node, static_cast<int>(species.size()), functions);
  Function f;
  f.cutoff = node.at("cutoff").cutoff();
  f.inner_cutoff = node.has("inner_cutoff") ? node.at("inner_cutoff").number() : 0.0;
  if (!(f.inner_cutoff >= 0.0 && f.cutoff - f.inner_cutoff >= shortest_switch))
    node.at("inner_cutoff")
        .fail("expected a number from 0 to 0.1 angstrom below the cutoff, found " +
              shown(node.at("inner_cutoff").value));
  f.eta = node.at("eta").number();
  if (f.eta < 0.0)
    node.at("eta").fail("expected a number of at least 0, found " + shown(node.at("eta").value));
  if (type == "G2") {
    f.type = Function::Type::G2;
    node.refuse_other_keys({"type", "neighbors", "eta", "r_s", "cutoff", "inner_cutoff"});
    neighbor_species(node, species, 1, f);
    f.r_s = node.has("r_s") ? node.at("r_s").number() : 0.0;
  } else if (type == "G4" || type == "G5") {
    f.type = type == "G4" ? Function::Type::G4 : Function::Type::G5;
    node.refuse_other_keys({"type", "neighbors", "eta", "lambda", "zeta", "cutoff", "inner_cutoff"});
    neighbor_species(node, species, 2, f);
    f.lambda = node.at("lambda").number();
    if (std::abs(f.lambda) != 1.0)
      node.at("lambda").fail("expected 1 or -1, found " + shown(node.at("lambda").value));
    f.zeta = node.at("zeta").number();
    if (f.zeta < 1.0 || f.zeta > largest_zeta)
      node.at("zeta").fail("expected a number from 1 to 10000, found " + shown(node.at("zeta").value));
  } else {
    node.at("type").fail("expected G2, G4, G5 or chebyshev, found " + shown(node.at("type").value));
  }
  functions.push_back(f);
}

}  // namespace alnn
