// Sums of products of moments. By Legendre's addition theorem
//   sum_jk P_l(u_j . u_k) U_j U_k = sum_m n_m A_lm^2 with A_lm = sum_j U_j Y_lm(u_j);
// averages of products of projected densities by those of three harmonics.
#pragma once

#include <deque>
#include <map>
#include <tuple>
#include <vector>

#include "moment_layout.hpp"

namespace alnn {

/// Each sum is made once, however many functions it serves.
class MomentSums {
 public:
  struct Term {
    double coefficient;
    int a, b;
  };
  using Variables = std::vector<int>;

  /// Variables from the last one of an arranged layout on; vectors of `width` lanes.
  MomentSums(const MomentLayout& layout, int width)
      : layout_(layout), width_(width), next_variable_(layout.end_variable()) {}
  MomentSums(const MomentSums&) = delete;
  MomentSums& operator=(const MomentSums&) = delete;

  /// The variable of a sum of terms of one or two factors; one that is a variable already needs no sum.
  int sum(int degree, const std::vector<Term>& terms);
  /// The 2l + 1 moments of a field, summed over species.
  const Variables& moments(const Field& field, int l);
  /// sum_j (w_j R_j)^2
  int squares(const Field& field);
  /// sum_jk P_l(u_j . u_k) of two fields
  int power(const Field& a, const Field& b, int l);
  /// The 2l + 1 components of degree l of the product of two projected densities.
  const Variables& coupled(const Field& a, int la, const Field& b, int lb, int l);

  const std::vector<ProductSum>& all() const { return sums_; }
  int end_variable() const { return next_variable_; }

 private:
  const MomentLayout& layout_;
  int width_, next_variable_;
  std::map<std::tuple<Field, int>, Variables> moments_;
  std::map<Field, int> squares_;
  std::map<std::tuple<Field, Field, int>, int> powers_;
  std::map<std::tuple<Field, int, Field, int, int>, Variables> coupled_;
  std::map<std::tuple<int, int, int>, std::vector<double>> averages_;  // of three harmonics
  std::vector<ProductSum> sums_;
  std::deque<std::vector<double>> coefficients_;  // deques keep addresses
  std::deque<std::vector<int>> factors_;
};

}  // namespace alnn
