#include "potential_file/repulsion_entry.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace alnn {

namespace {

constexpr int largest_number = 118;
constexpr double shortest_switch = 0.01;  // angstrom between the radii

int index_of(const Node& node, const std::vector<std::string>& species) {
  const auto it = std::find(species.begin(), species.end(), node.text());
  if (it == species.end()) node.fail("species " + shown(node.value) + " is not in the file's species list");
  return static_cast<int>(it - species.begin());
}

void check_numbers(const Node& numbers, const std::vector<std::string>& species) {
  if (!numbers.value.is_object()) numbers.fail("expected an object, found " + shown(numbers.value));
  for (const auto& [name, number] : numbers.value.items())
    if (std::find(species.begin(), species.end(), name) == species.end())
      numbers.fail("species " + shown(name) + " is not in the file's species list");
}

}  // namespace

Repulsion repulsion_of(const Node& node, const std::vector<std::string>& species) {
  node.refuse_other_keys({"type", "numbers", "pairs"});
  if (node.at("type").text() != "zbl")
    node.at("type").fail("expected \"zbl\", found " + shown(node.at("type").value));
  const Node numbers = node.at("numbers"), pairs = node.at("pairs");
  check_numbers(numbers, species);
  Repulsion repulsion;
  std::set<std::pair<int, int>> seen;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Node pair = pairs.item(i), names = pair.at("species");
    pair.refuse_other_keys({"species", "inner", "outer"});
    if (names.size() != 2) names.fail("expected 2 species, found " + std::to_string(names.size()));
    const int a = index_of(names.item(0), species), b = index_of(names.item(1), species);
    if (!seen.insert(std::minmax(a, b)).second) names.fail("the pair stands twice");
    const double outer = pair.at("outer").cutoff(), inner = pair.at("inner").number();
    if (!(inner >= 0.0 && outer - inner >= shortest_switch))
      pair.at("inner").fail("expected a number from 0 to 0.01 angstrom below outer, found " +
                            shown(pair.at("inner").value));
    repulsion.add(a, b, numbers.at(species[a]).integer(1, largest_number),
                  numbers.at(species[b]).integer(1, largest_number), inner, outer);
  }
  return repulsion;
}

}  // namespace alnn
