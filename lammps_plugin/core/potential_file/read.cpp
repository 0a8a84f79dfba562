#include "potential_file/read.hpp"

#include <algorithm>
#include <utility>

#include "potential_file/checksum.hpp"
#include "potential_file/functions.hpp"
#include "potential_file/grade_entry.hpp"
#include "potential_file/networks.hpp"
#include "potential_file/node.hpp"
#include "potential_file/repulsion_entry.hpp"

namespace alnn {

namespace {

constexpr std::size_t most_functions = 100000;  // of a species
constexpr std::size_t longest_name = 32;
constexpr int newest = 3;
constexpr std::size_t longest_line = 1000;

std::vector<std::string> species_of(const Node& root) {
  const Node list = root.at("species");
  std::vector<std::string> species;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string name = list.item(i).text();
    if (std::find(species.begin(), species.end(), name) != species.end())
      list.item(i).fail("species \"" + name + "\" stands twice");
    const auto is_graphic = [](unsigned char c) { return c > 32 && c < 127; };
    if (name.empty() || name.size() > longest_name || !std::all_of(name.begin(), name.end(), is_graphic))
      list.item(i).fail("expected a name of 1 to 32 letters and digits, found " + shown(list.item(i).value));
    species.push_back(name);
  }
  if (species.empty()) list.fail("expected at least one species, found none");
  return species;
}

void read_descriptors(const Node& root, const std::vector<std::string>& species, Potential& potential) {
  for (const auto& name : species) {
    Element element;
    element.name = name;
    const Node list = root.at("descriptors").at(name).at("functions");
    for (std::size_t i = 0; i < list.size(); ++i) {
      append_functions(list.item(i), species, element.functions);
      if (element.functions.size() > most_functions)
        list.fail("expected at most " + std::to_string(most_functions) + " functions");
    }
    if (element.functions.empty()) list.fail("expected at least one function, found none");
    for (const auto& f : element.functions) potential.cutoff = std::max(potential.cutoff, f.cutoff);
    potential.elements.push_back(std::move(element));
  }
}

void read_networks(const Node& root, Potential& potential) {
  const Node members = root.at("members");
  if (members.size() == 0) members.fail("expected at least one member, found none");
  potential.energy_scale = root.at("energy").at("scale").number();
  for (auto& element : potential.elements) {
    const std::size_t n = element.functions.size();
    element.scaling = scaling_of(root.at("scaling").at(element.name), n);
    element.shift = root.at("energy").at("shift").at(element.name).number();
    for (std::size_t m = 0; m < members.size(); ++m)
      element.members.push_back(network_of(members.item(m).at(element.name), static_cast<int>(n)));
  }
}

// Above all the checksum must not get lost.
void check_keys(const Node& root) {
  root.refuse_other_keys({"format", "version", "units", "species", "descriptors", "scaling", "members",
                          "energy", "repulsion", "baseline", "training", "checksum"});
  if (root.has("training") && !root.at("training").value.is_object())
    root.at("training").fail("expected an object, found " + shown(root.at("training").value));
}

int version_of(const Node& root) { return root.at("version").integer(1, 1000000); }

// A key that older readers, who know it not, would pass over to wrong energies.
void check_version(const Node& root, const std::string& key, int version) {
  if (version_of(root) < version)
    root.at(key).fail("expected version " + std::to_string(version) + ", found version " +
                      shown(root.at("version").value));
}

void read_baseline(const Node& root, Potential& potential) {
  if (!root.has("baseline")) return;
  check_version(root, "baseline", 3);
  const Node lines = root.at("baseline");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = lines.item(i).text();
    const bool plain = std::none_of(line.begin(), line.end(), [](unsigned char c) { return c < 32; });
    if (line.empty() || line.size() > longest_line || !plain)
      lines.item(i).fail("expected a line of LAMMPS, found " + shown(lines.item(i).value));
    potential.baseline.push_back(line);
  }
  if (potential.baseline.empty()) lines.fail("expected at least one line, found none");
}

void read_repulsion(const Node& root, const std::vector<std::string>& species, Potential& potential) {
  if (!root.has("repulsion")) return;
  check_version(root, "repulsion", 2);
  potential.repulsion = repulsion_of(root.at("repulsion"), species);
  potential.cutoff = std::max(potential.cutoff, potential.repulsion.reach());
}

// Under `training`, where readers that know nothing of it pass it by.
void read_grade(const Node& root, Potential& potential) {
  if (!root.has("training") || !root.at("training").has("grade")) return;
  const Node entry = root.at("training").at("grade");
  for (auto& element : potential.elements)
    element.grade = grade_of(entry.at(element.name), element.members[0].back().n_in + 1);
}

void check_header(const Node& root) {
  if (root.at("format").text() != "alnn-potential")
    root.at("format").fail("expected \"alnn-potential\", found " + shown(root.at("format").value));
  if (version_of(root) > newest)
    root.at("version").fail("expected 1, 2 or 3, found " + shown(root.at("version").value) +
                            ": a newer alnn wrote this file");
  if (root.at("units").at("length").text() != "angstrom")
    root.at("units").at("length").fail("expected angstrom, found " +
                                       shown(root.at("units").at("length").value));
  if (root.at("units").at("energy").text() != "eV")
    root.at("units").at("energy").fail("expected eV, found " + shown(root.at("units").at("energy").value));
}

}  // namespace

Potential parse_potential(const std::string& text, const std::string& where) {
  const nlohmann::json document = parse_json(text, where);
  const Node root{document, "", where};
  check_header(root);
  check_keys(root);
  verify_checksum(text, root);
  Potential potential;
  const std::vector<std::string> species = species_of(root);
  read_descriptors(root, species, potential);
  read_networks(root, potential);
  read_repulsion(root, species, potential);
  read_grade(root, potential);
  read_baseline(root, potential);
  return potential;
}

Potential parse_descriptors(const std::string& text, const std::string& where) {
  const nlohmann::json document = parse_json(text, where);
  const Node root{document, "", where};
  Potential potential;
  read_descriptors(root, species_of(root), potential);
  return potential;
}

Repulsion parse_repulsion(const std::string& text, const std::string& where) {
  const nlohmann::json document = parse_json(text, where);
  const Node root{document, "", where};
  return repulsion_of(root.at("repulsion"), species_of(root));
}

}  // namespace alnn
