// A JSON document read strictly: every complaint says where in which file, what was expected and what found.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace alnn {

/// The text of a file as JSON; `where` names the file. Throws PotentialError.
nlohmann::json parse_json(const std::string& text, const std::string& where);

/// A value for a message: short, and on one line.
std::string shown(const nlohmann::json& value);

/// Walks the document and remembers the path. All functions throw PotentialError.
struct Node {
  const nlohmann::json& value;
  std::string path;
  const std::string& file;

  [[noreturn]] void fail(const std::string& message) const;
  Node at(const std::string& key) const;
  /// A misspelt key is a key that is missing.
  void refuse_other_keys(std::initializer_list<const char*> known) const;
  bool has(const std::string& key) const { return value.is_object() && value.contains(key); }
  Node item(std::size_t i) const { return {value.at(i), path + "[" + std::to_string(i) + "]", file}; }
  std::size_t size() const;
  double number() const;
  int integer(int smallest, int largest) const;
  std::string text() const;
  std::vector<double> numbers() const;
  std::vector<double> numbers(std::size_t expected) const;
  /// angstrom
  double cutoff() const;
};

}  // namespace alnn
