#include "potential_file/grade_entry.hpp"

#include <cmath>

namespace alnn {

namespace {

constexpr double largest = 1e30;  // no product of it with what a network holds overflows

}  // namespace

std::vector<double> grade_of(const Node& node, std::size_t n) {
  if (node.size() != n)
    node.fail("expected " + std::to_string(n) + " rows, found " + std::to_string(node.size()));
  std::vector<double> factor(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const Node row = node.item(i);
    const std::vector<double> numbers = row.numbers(i + 1);
    for (std::size_t k = 0; k <= i; ++k) {
      if (!(std::abs(numbers[k]) <= largest))
        row.item(k).fail("expected a number within 1e30, found " + shown(row.item(k).value));
      factor[i * n + k] = numbers[k];
    }
    if (!(numbers[i] > 0.0)) row.item(i).fail("expected a number above 0, found " + shown(row.item(i).value));
  }
  return factor;
}

}  // namespace alnn
