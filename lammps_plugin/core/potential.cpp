#include "potential.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

namespace alnn {

namespace {

using nlohmann::json;

constexpr double shortest_cutoff = 0.1, longest_cutoff = 100.0;  // angstrom
constexpr double largest_zeta = 10000.0;
constexpr int largest_order = 1000;             // of a Chebyshev polynomial
constexpr std::size_t most_functions = 100000;  // of a species
constexpr int deepest = 50;                     // nesting of the document; the format itself needs 9
constexpr std::size_t longest_quote = 60, longest_name = 32;

// A value for a message: short, and on one line.
std::string shown(const json& value) {
  if (value.is_structured()) return value.is_object() ? "an object" : "a list";
  std::string text = value.dump();
  if (text.size() <= longest_quote) return text;
  std::size_t end = longest_quote;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

// Walks the document and remembers the path, so that every complaint says where it is.
struct Node {
  const json& value;
  std::string path;
  const std::string& file;

  [[noreturn]] void fail(const std::string& message) const {
    throw PotentialError("potential file " + file + ": " + (path.empty() ? "" : path + ": ") + message);
  }
  Node at(const std::string& key) const {
    if (!value.is_object()) fail("expected an object, found " + std::string(value.type_name()));
    const auto it = value.find(key);
    if (it == value.end()) fail("expected the key \"" + key + "\", found none");
    return {*it, path.empty() ? key : path + "." + key, file};
  }
  /// A misspelt key is a key that is missing.
  void refuse_other_keys(std::initializer_list<const char*> known) const {
    for (const auto& [key, entry] : value.items())
      if (std::find(known.begin(), known.end(), key) == known.end()) fail("unknown key " + shown(key));
  }
  bool has(const std::string& key) const { return value.is_object() && value.contains(key); }
  Node item(std::size_t i) const { return {value.at(i), path + "[" + std::to_string(i) + "]", file}; }
  std::size_t size() const {
    if (!value.is_array()) fail("expected a list, found " + std::string(value.type_name()));
    return value.size();
  }
  double number() const {
    if (!value.is_number()) fail("expected a number, found " + shown(value));
    const double x = value.get<double>();
    if (!std::isfinite(x)) fail("expected a finite number, found " + shown(value));
    return x;
  }
  int integer(int smallest, int largest) const {
    if (!value.is_number_integer() || value.get<std::int64_t>() < smallest ||
        value.get<std::int64_t>() > largest)
      fail("expected an integer from " + std::to_string(smallest) + " to " + std::to_string(largest) +
           ", found " + shown(value));
    return value.get<int>();
  }
  std::string text() const {
    if (!value.is_string()) fail("expected a text, found " + shown(value));
    return value.get<std::string>();
  }
  std::vector<double> numbers() const {
    std::vector<double> result(size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = item(i).number();
    return result;
  }
  std::vector<double> numbers(std::size_t expected) const {
    const auto result = numbers();
    if (result.size() != expected)
      fail("expected " + std::to_string(expected) + " numbers, found " + std::to_string(result.size()));
    return result;
  }
  double cutoff() const {
    const double x = number();
    if (!(x >= shortest_cutoff && x <= longest_cutoff))
      fail("expected a cutoff from 0.1 to 100 angstrom, found " + shown(value));
    return x;
  }
};

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

void append_functions(const Node& node, const std::vector<std::string>& species,
                      std::vector<Function>& functions) {
  const std::string type = node.at("type").text();
  if (type == "chebyshev") return append_chebyshev(node, static_cast<int>(species.size()), functions);
  Function f;
  f.cutoff = node.at("cutoff").cutoff();
  f.inner_cutoff = node.has("inner_cutoff") ? node.at("inner_cutoff").number() : 0.0;
  if (!(f.inner_cutoff >= 0.0 && f.cutoff - f.inner_cutoff >= shortest_cutoff))
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

Activation activation_of(const Node& node) {
  static const std::pair<const char*, Activation> names[] = {
      {"linear", Activation::linear}, {"tanh", Activation::tanh}, {"sigmoid", Activation::sigmoid},
      {"relu", Activation::relu},     {"gelu", Activation::gelu}, {"mtanh", Activation::mtanh},
      {"twist", Activation::twist}};
  for (const auto& [name, activation] : names)
    if (node.text() == name) return activation;
  node.fail("expected linear, tanh, sigmoid, relu, gelu, mtanh or twist, found " + shown(node.value));
}

Layer layer_of(const Node& node, int n_in) {
  Layer layer;
  const Node rows = node.at("weights");
  layer.n_in = n_in;
  layer.n_out = static_cast<int>(rows.size());
  if (layer.n_out == 0) rows.fail("expected at least one row, found none");
  for (int o = 0; o < layer.n_out; ++o) {
    const auto row = rows.item(o).numbers(n_in);
    layer.weights.insert(layer.weights.end(), row.begin(), row.end());
  }
  layer.bias = node.at("bias").numbers(layer.n_out);
  layer.activation = activation_of(node.at("activation"));
  return layer;
}

Network network_of(const Node& node, int n_in) {
  const Node layers = node.at("layers");
  Network network;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    network.push_back(layer_of(layers.item(i), n_in));
    n_in = network.back().n_out;
  }
  if (network.empty()) layers.fail("expected at least one layer, found none");
  if (n_in != 1) layers.fail("expected a last layer of one node, found " + std::to_string(n_in));
  return network;
}

Scaling scaling_of(const Node& node, std::size_t n) {
  Scaling s{node.at("mean").numbers(n), node.at("std").numbers(n), node.at("min").numbers(n),
            node.at("max").numbers(n)};
  for (std::size_t i = 0; i < n; ++i)
    if (s.std[i] < 0.0) node.at("std").item(i).fail("expected a number of at least 0, found a negative one");
  return s;
}

// zlib's CRC-32 (polynomial 0xEDB88320), so that Python checks with zlib.crc32.
std::uint32_t crc32(const std::string& text) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1u) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char byte : text) crc = table[(crc ^ byte) & 0xFFu] ^ (crc >> 8);
  return crc ^ 0xFFFFFFFFu;
}

// "checksum": "crc32:01234567" is the CRC of the whole file with these eight digits replaced by zeros.
void verify_checksum(const std::string& text, const Node& root) {
  if (!root.has("checksum")) return;
  const std::string stated = root.at("checksum").text();
  const std::size_t at = text.rfind(stated);
  if (stated.size() != 14 || stated.compare(0, 6, "crc32:") != 0 || at == std::string::npos)
    root.at("checksum")
        .fail("expected \"crc32:\" and eight hexadecimal digits, found " + shown(root.at("checksum").value));
  std::string blanked = text;
  blanked.replace(at + 6, 8, "00000000");
  char found[16];
  std::snprintf(found, sizeof found, "crc32:%08x", crc32(blanked));
  if (stated != found)
    root.at("checksum")
        .fail("the file was altered: it states " + stated + ", its content has " + found +
              " (remove the key \"checksum\" if the change is meant)");
}

json parse_json(const std::string& text, const std::string& where) {
  const std::string whole = "potential file " + where + ": expected one whole JSON document, found ";
  const auto not_too_deep = [&](int depth, json::parse_event_t, const json&) {
    if (depth > deepest) throw PotentialError(whole + "one of more than 50 levels");
    return true;
  };
  try {
    return json::parse(text, not_too_deep);
  } catch (const json::parse_error& e) {
    throw PotentialError(whole + "a fault at byte " + std::to_string(e.byte) + " of " +
                         std::to_string(text.size()) + " (truncated or altered?)");
  } catch (const json::exception&) {
    throw PotentialError(whole + "a number beyond 1e308");
  }
}

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
                          "energy", "training", "checksum"});
  if (root.has("training") && !root.at("training").value.is_object())
    root.at("training").fail("expected an object, found " + shown(root.at("training").value));
}

void check_header(const Node& root) {
  if (root.at("format").text() != "alnn-potential")
    root.at("format").fail("expected \"alnn-potential\", found " + shown(root.at("format").value));
  if (root.at("version").integer(1, 1000000) != 1)
    root.at("version").fail("expected 1, found " + shown(root.at("version").value) +
                            ": a newer alnn wrote this file");
  if (root.at("units").at("length").text() != "angstrom")
    root.at("units").at("length").fail("expected angstrom, found " +
                                       shown(root.at("units").at("length").value));
  if (root.at("units").at("energy").text() != "eV")
    root.at("units").at("energy").fail("expected eV, found " + shown(root.at("units").at("energy").value));
}

}  // namespace

int Potential::species_index(const std::string& name) const {
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (elements[i].name == name) return static_cast<int>(i);
  return -1;
}

Potential Potential::parse(const std::string& text, const std::string& where) {
  const json document = parse_json(text, where);
  const Node root{document, "", where};
  check_header(root);
  check_keys(root);
  verify_checksum(text, root);
  Potential potential;
  read_descriptors(root, species_of(root), potential);
  read_networks(root, potential);
  return potential;
}

Potential Potential::parse_descriptors(const std::string& text, const std::string& where) {
  const json document = parse_json(text, where);
  const Node root{document, "", where};
  Potential potential;
  read_descriptors(root, species_of(root), potential);
  return potential;
}

Potential Potential::load(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw PotentialError("potential file " + path + ": cannot be opened for reading");
  std::ostringstream text;
  text << stream.rdbuf();
  return parse(text.str(), path);
}

double species_weight(int species, int n_species) {
  if (n_species == 1) return 1.0;
  const int half = n_species / 2;
  const int s = species - half;                       // odd count: ..., -1, 0, 1, ...
  return (n_species % 2 == 0 && s >= 0) ? s + 1 : s;  // even count leaves out zero
}

}  // namespace alnn
