#include "mc_umbrella.h"

#include <cmath>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace alnn {

std::map<int, double> parse_umbrella(const std::string& text, const std::string& name) {
  std::map<int, double> given;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::istringstream words(line);
    int size = -1;
    double potential = NAN;
    std::string rest;
    const bool whole = static_cast<bool>(words >> size >> potential) && !(words >> rest);
    if (!whole || size < 0 || !std::isfinite(potential) || given.count(size))
      throw std::invalid_argument("expected a size of its own and a finite potential (k_B T) in line " +
                                  std::to_string(number) + " of the umbrella " + name + ", found '" + line +
                                  "'");
    given[size] = potential;
  }
  if (given.empty())
    throw std::invalid_argument("expected lines with a size and a potential (k_B T) in the umbrella " + name +
                                ", found none");
  return given;
}

std::vector<double> interpolated_umbrella(const std::map<int, double>& given, int low, int high) {
  std::vector<double> umbrella;
  for (int n = low; n <= high; ++n) {
    const auto above = given.lower_bound(n);
    if (given.empty()) {
      umbrella.push_back(0.0);
    } else if (above == given.end()) {
      umbrella.push_back(given.rbegin()->second);
    } else if (above->first == n || above == given.begin()) {
      umbrella.push_back(above->second);
    } else {
      const auto below = std::prev(above);
      const double part = static_cast<double>(n - below->first) / (above->first - below->first);
      umbrella.push_back(below->second + part * (above->second - below->second));
    }
  }
  return umbrella;
}

}  // namespace alnn
