#include "potential_file/functions.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace alnn {

namespace {

constexpr double shortest_switch = 0.1;     // angstrom between the cutoffs
constexpr double longest_support = 1000.0;  // angstrom
constexpr double pi = 3.14159265358979323846;
constexpr double largest_zeta = 10000.0;
constexpr int largest_order = 1000;  // of a Chebyshev polynomial
constexpr int most_radial = 40;      // of moments

constexpr std::pair<const char*, Function::Type> compact_types[] = {
    {"compact_radial", Function::Type::compact_radial},
    {"compact_wide", Function::Type::compact_wide},
    {"compact_narrow", Function::Type::compact_narrow}};

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

CutoffForm form_of(const Node& node) {
  static const std::pair<const char*, CutoffForm> names[] = {
      {"cosine", CutoffForm::cosine}, {"tanh3", CutoffForm::tanh3}, {"tanh3_unit", CutoffForm::tanh3_unit},
      {"exp", CutoffForm::exp},       {"poly1", CutoffForm::poly1}, {"poly2", CutoffForm::poly2},
      {"poly3", CutoffForm::poly3},   {"poly4", CutoffForm::poly4}, {"hard", CutoffForm::hard}};
  for (const auto& [name, form] : names)
    if (node.text() == name) return form;
  node.fail("expected cosine, tanh3, tanh3_unit, exp, poly1 to poly4 or hard, found " + shown(node.value));
}

void cutoffs_of(const Node& node, Function& f) {
  f.cutoff = node.at("cutoff").cutoff();
  f.inner_cutoff = node.has("inner_cutoff") ? node.at("inner_cutoff").number() : 0.0;
  if (!(f.inner_cutoff >= 0.0 && f.cutoff - f.inner_cutoff >= shortest_switch))
    node.at("inner_cutoff")
        .fail("expected a number from 0 to 0.1 angstrom below the cutoff, found " +
              shown(node.at("inner_cutoff").value));
}

// Of G2, G4 and G5.
void form_and_cutoffs_of(const Node& node, Function& f) {
  cutoffs_of(node, f);
  if (!node.has("cutoff_function")) return;
  f.cutoff_form = form_of(node.at("cutoff_function"));
  if (f.inner_cutoff > 0.0 && falls_from_zero(f.cutoff_form))
    node.at("inner_cutoff")
        .fail("expected none with tanh3 and tanh3_unit, which fall from 0 on, found " +
              shown(node.at("inner_cutoff").value));
}

// Flanks are what the cutoff functions of n2p2 are that begin at 1 with no slope and end at 0.
CutoffForm flank_of(const Node& node) {
  const CutoffForm form = form_of(node);
  if (form == CutoffForm::cosine || form == CutoffForm::hard || falls_from_zero(form))
    node.fail("expected exp or poly1 to poly4, found " + shown(node.value));
  return form;
}

// An angle's factor is even about 0 and 180 degrees or does not go beyond them: else it would have a kink.
void angles_of(const Node& node, Function& f) {
  const double left = node.at("left").number(), right = node.at("right").number();
  const double middle = 0.5 * (left + right);
  if (!(left < right && right - left <= 360.0 && (left >= 0.0 || middle == 0.0) &&
        (right <= 180.0 || middle == 180.0)))
    node.at("right").fail("expected left and right from 0 to 180 degrees, or around 0 or 180, found " +
                          shown(node.at("left").value) + " and " + shown(node.at("right").value));
  f.left = left * pi / 180.0, f.right = right * pi / 180.0;
}

void append_compact(const Node& node, Function::Type type, const std::vector<std::string>& species,
                    std::vector<Function>& functions) {
  Function f;
  f.type = type;
  f.cutoff = node.at("cutoff").cutoff();
  f.lower = node.at("lower").number();
  if (!(f.lower >= -longest_support && f.cutoff - f.lower >= shortest_switch))
    node.at("lower").fail("expected a number from -1000 to 0.1 angstrom below the cutoff, found " +
                          shown(node.at("lower").value));
  f.cutoff_form = flank_of(node.at("cutoff_function"));
  f.asymmetric = node.has("asymmetric") && node.at("asymmetric").integer(0, 1) == 1;
  if (type == Function::Type::compact_radial) {
    node.refuse_other_keys({"type", "neighbors", "lower", "cutoff", "cutoff_function", "asymmetric"});
    neighbor_species(node, species, 1, f);
  } else {
    node.refuse_other_keys(
        {"type", "neighbors", "lower", "cutoff", "left", "right", "cutoff_function", "asymmetric"});
    neighbor_species(node, species, 2, f);
    angles_of(node, f);
  }
  functions.push_back(f);
}

// How many radial functions and which degrees of harmonics the products of so many factors take.
struct Extent {
  int radial = 0, degree = 0;
};

Extent extent_of(const Node& node, const char* key, int largest_degree) {
  if (!node.has(key)) return {};
  const Node part = node.at(key);
  if (largest_degree == 0) return {part.integer(1, most_radial), 0};
  part.refuse_other_keys({"radial", "degree"});
  return {part.at("radial").integer(1, most_radial), part.at("degree").integer(1, largest_degree)};
}

// All products of these degrees: of factors of equal degree each set of radial functions and channels once.
void append_products(Function f, const std::vector<int>& degrees, int radial, int channels,
                     std::vector<Function>& functions) {
  f.n_factors = static_cast<int>(degrees.size());
  const int n = radial * channels;
  std::vector<int> chosen(degrees.size(), 0);
  while (true) {
    bool in_order = true;
    for (std::size_t i = 1; i < degrees.size(); ++i)
      in_order = in_order && (degrees[i] != degrees[i - 1] || chosen[i] >= chosen[i - 1]);
    if (in_order) {
      for (std::size_t i = 0; i < degrees.size(); ++i)
        f.factors[i] = {degrees[i], chosen[i] % radial, chosen[i] / radial};
      functions.push_back(f);
    }
    int i = static_cast<int>(degrees.size()) - 1;
    while (i >= 0 && ++chosen[i] == n) chosen[i--] = 0;
    if (i < 0) return;
  }
}

void append_moments(const Node& node, int n_species, std::vector<Function>& functions) {
  node.refuse_other_keys(
      {"type", "cutoff", "inner_cutoff", "r_min", "channels", "two_body", "three_body", "four_body"});
  Function f;
  f.type = Function::Type::product;
  cutoffs_of(node, f);
  f.r_min = node.has("r_min") ? node.at("r_min").number() : 0.0;
  if (!(f.r_min >= 0.0 && f.cutoff - f.r_min >= shortest_switch))
    node.at("r_min").fail("expected a number from 0 to 0.1 angstrom below the cutoff, found " +
                          shown(node.at("r_min").value));
  const int channels =
      node.has("channels") ? node.at("channels").integer(1, n_species) : std::min(n_species, 2);
  const Extent two = extent_of(node, "two_body", 0);
  const Extent three = extent_of(node, "three_body", 8), four = extent_of(node, "four_body", 6);
  for (int s = 0; s < n_species; ++s) {
    f.neighbors[0] = s;
    if (two.radial > 0) append_products(f, {0}, two.radial, 1, functions);
  }
  f.neighbors[0] = -1;
  for (int l = 1; l <= three.degree; ++l) append_products(f, {l, l}, three.radial, channels, functions);
  for (int l1 = 1; l1 <= four.degree; ++l1)
    for (int l2 = l1; l2 <= four.degree; ++l2)
      for (int l3 = l2; l3 <= std::min(four.degree, l1 + l2); ++l3)
        if ((l1 + l2 + l3) % 2 == 0) append_products(f, {l1, l2, l3}, four.radial, channels, functions);
}

}  // namespace

void append_functions(const Node& node, const std::vector<std::string>& species,
                      std::vector<Function>& functions) {
  const std::string type = node.at("type").text();
  if (type == "chebyshev") return append_chebyshev(node, static_cast<int>(species.size()), functions);
  if (type == "moments") return append_moments(node, static_cast<int>(species.size()), functions);
  for (const auto& [name, kind] : compact_types)
    if (type == name) return append_compact(node, kind, species, functions);
  Function f;
  form_and_cutoffs_of(node, f);
  f.r_s = node.has("r_s") ? node.at("r_s").number() : 0.0;
  f.eta = node.at("eta").number();
  if (f.eta < 0.0)
    node.at("eta").fail("expected a number of at least 0, found " + shown(node.at("eta").value));
  if (type == "G2") {
    f.type = Function::Type::G2;
    node.refuse_other_keys({"type", "neighbors", "eta", "r_s", "cutoff", "inner_cutoff", "cutoff_function"});
    neighbor_species(node, species, 1, f);
  } else if (type == "G4" || type == "G5") {
    f.type = type == "G4" ? Function::Type::G4 : Function::Type::G5;
    node.refuse_other_keys(
        {"type", "neighbors", "eta", "lambda", "zeta", "r_s", "cutoff", "inner_cutoff", "cutoff_function"});
    neighbor_species(node, species, 2, f);
    f.lambda = node.at("lambda").number();
    if (std::abs(f.lambda) != 1.0)
      node.at("lambda").fail("expected 1 or -1, found " + shown(node.at("lambda").value));
    f.zeta = node.at("zeta").number();
    if (f.zeta < 1.0 || f.zeta > largest_zeta)
      node.at("zeta").fail("expected a number from 1 to 10000, found " + shown(node.at("zeta").value));
  } else {
    node.at("type").fail(
        "expected G2, G4, G5, compact_radial, compact_wide, compact_narrow, chebyshev or moments, found " +
        shown(node.at("type").value));
  }
  functions.push_back(f);
}

}  // namespace alnn
