#include "potential_file/node.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "potential.hpp"

namespace alnn {

namespace {

using nlohmann::json;

constexpr double shortest_cutoff = 0.1, longest_cutoff = 100.0;  // angstrom
constexpr int deepest = 50;  // nesting of the document; the format itself needs 9
constexpr std::size_t longest_quote = 60;

}  // namespace

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

std::string shown(const json& value) {
  if (value.is_structured()) return value.is_object() ? "an object" : "a list";
  std::string text = value.dump();
  if (text.size() <= longest_quote) return text;
  std::size_t end = longest_quote;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

void Node::fail(const std::string& message) const {
  throw PotentialError("potential file " + file + ": " + (path.empty() ? "" : path + ": ") + message);
}

Node Node::at(const std::string& key) const {
  if (!value.is_object()) fail("expected an object, found " + std::string(value.type_name()));
  const auto it = value.find(key);
  if (it == value.end()) fail("expected the key \"" + key + "\", found none");
  return {*it, path.empty() ? key : path + "." + key, file};
}

void Node::refuse_other_keys(std::initializer_list<const char*> known) const {
  for (const auto& [key, entry] : value.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) fail("unknown key " + shown(key));
}

std::size_t Node::size() const {
  if (!value.is_array()) fail("expected a list, found " + std::string(value.type_name()));
  return value.size();
}

double Node::number() const {
  if (!value.is_number()) fail("expected a number, found " + shown(value));
  const double x = value.get<double>();
  if (!std::isfinite(x)) fail("expected a finite number, found " + shown(value));
  return x;
}

int Node::integer(int smallest, int largest) const {
  if (!value.is_number_integer() || value.get<std::int64_t>() < smallest ||
      value.get<std::int64_t>() > largest)
    fail("expected an integer from " + std::to_string(smallest) + " to " + std::to_string(largest) +
         ", found " + shown(value));
  return value.get<int>();
}

std::string Node::text() const {
  if (!value.is_string()) fail("expected a text, found " + shown(value));
  return value.get<std::string>();
}

std::vector<double> Node::numbers() const {
  std::vector<double> result(size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = item(i).number();
  return result;
}

std::vector<double> Node::numbers(std::size_t expected) const {
  const auto result = numbers();
  if (result.size() != expected)
    fail("expected " + std::to_string(expected) + " numbers, found " + std::to_string(result.size()));
  return result;
}

double Node::cutoff() const {
  const double x = number();
  if (!(x >= shortest_cutoff && x <= longest_cutoff))
    fail("expected a cutoff from 0.1 to 100 angstrom, found " + shown(value));
  return x;
}

}  // namespace alnn
