#include "moment_sums.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sphere.hpp"

namespace alnn {

namespace {

constexpr double negligible = 1e-12;  // of averages of harmonics: zero but for rounding

}  // namespace

int MomentSums::sum(int degree, const std::vector<Term>& terms) {
  if (degree == 1 && terms.size() == 1 && terms[0].coefficient == 1.0) return terms[0].a;
  auto& coefficients = coefficients_.emplace_back();
  auto& factors = factors_.emplace_back();
  for (const Term& t : terms) {
    coefficients.push_back(t.coefficient);
    factors.push_back(t.a * width_);
    if (degree == 2) factors.push_back(t.b * width_);
  }
  sums_.push_back(
      {next_variable_, degree, static_cast<int>(terms.size()), coefficients.data(), factors.data()});
  return next_variable_++;
}

const MomentSums::Variables& MomentSums::moments(const Field& field, int l) {
  const auto [it, fresh] = moments_.try_emplace({field, l});
  if (!fresh) return it->second;
  for (int m = 0; m <= 2 * l; ++m) {
    std::vector<Term> terms;
    for (int s = 0; s < static_cast<int>(field.weights.size()); ++s)
      if (field.weights[s] != 0.0) terms.push_back({field.weights[s], layout_.moment(field, s, l, m), 0});
    it->second.push_back(sum(1, terms));
  }
  return it->second;
}

int MomentSums::squares(const Field& field) {
  const auto [it, fresh] = squares_.try_emplace(field);
  if (!fresh) return it->second;
  std::vector<Term> terms;
  for (int s = 0; s < static_cast<int>(field.weights.size()); ++s)
    if (const double w = field.weights[s]; w != 0.0) terms.push_back({w * w, layout_.square(field, s), 0});
  return it->second = sum(1, terms);
}

int MomentSums::power(const Field& a, const Field& b, int l) {
  const auto [it, fresh] = powers_.try_emplace({a, b, l});
  if (!fresh) return it->second;
  const auto factors = addition_factors(l);
  const Variables &va = moments(a, l), &vb = moments(b, l);
  std::vector<Term> terms;
  for (int m = 0; m <= 2 * l; ++m) terms.push_back({factors[m], va[m], vb[m]});
  return it->second = sum(2, terms);
}

const MomentSums::Variables& MomentSums::coupled(const Field& a, int la, const Field& b, int lb, int l) {
  const auto [it, fresh] = coupled_.try_emplace({a, la, b, lb, l});
  if (!fresh) return it->second;
  const Variables va = moments(a, la), vb = moments(b, lb);
  auto& averages = averages_[{la, lb, l}];
  if (averages.empty()) averages = triple_averages(la, lb, l);
  const auto fa = addition_factors(la), fb = addition_factors(lb), fc = addition_factors(l);
  const double* average = averages.data();
  for (int m = 0; m <= 2 * l; ++m) {
    std::map<std::pair<int, int>, double> products;
    for (int ma = 0; ma <= 2 * la; ++ma)
      for (int mb = 0; mb <= 2 * lb; ++mb)
        products[std::minmax(va[ma], vb[mb])] += fa[ma] * fb[mb] * fc[m] * *average++;
    double largest = 0.0;
    for (const auto& [factors, c] : products) largest = std::max(largest, std::abs(c));
    std::vector<Term> terms;
    for (const auto& [factors, c] : products)
      if (std::abs(c) > negligible * largest) terms.push_back({c, factors.first, factors.second});
    it->second.push_back(sum(2, terms));
  }
  return it->second;
}

}  // namespace alnn
