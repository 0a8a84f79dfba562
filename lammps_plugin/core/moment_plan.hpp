// Arranges functions for evaluation by moments: which moments of which neighbours, and what sums of products
// of them give the functions. G5 and Chebyshev functions by Legendre's addition theorem,
//   sum_jk P_l(u_j . u_k) U_j U_k = sum_m n_m A_lm^2 with A_lm = sum_j U_j Y_lm(u_j);
// averages of products of projected densities (Function::Type::product) by those of three harmonics.
#pragma once

#include <deque>
#include <map>
#include <tuple>
#include <vector>

#include "kernel.hpp"
#include "potential.hpp"

namespace alnn {

/// Index of a cutoff in the list, appended if it is new.
int cutoff_index(std::vector<Cutoff>& cutoffs, const Cutoff& cutoff);

class MomentPlan {
 public:
  /// Whether a function can be computed by moments at all.
  static bool serves(const Function& function);
  /// Whether there is no other fast way for it.
  static bool needs(const Function& function);

  /// `functions` of the element by moments, with variables from `first_variable` and rows from `first_row`
  /// on. Cutoffs are added to `cutoffs`; `variable` of each function is set.
  MomentPlan(const Element& element, const std::vector<int>& functions, int n_species, int first_variable,
             int first_row, std::vector<Cutoff>& cutoffs, std::vector<int>& variable);
  MomentPlan(const MomentPlan&) = delete;
  MomentPlan& operator=(const MomentPlan&) = delete;

  MomentView view() const;
  int end_variable() const { return next_variable_; }
  int end_row() const { return next_row_; }
  int degree() const;

 private:
  // exp(-eta (r - r_s)^2), or T_order(x) with x from -1 at r_min
  struct Radial {
    bool polynomial;
    int order;
    double eta, r_s, r_min;
    auto key() const { return std::tie(polynomial, r_min, eta, r_s, order); }
    bool operator<(const Radial& other) const { return key() < other.key(); }
    bool operator==(const Radial& other) const { return key() == other.key(); }
  };
  // A radial function of the neighbours of some species, each with a weight: sum_j w_j R(r_j) ...
  struct Field {
    int cutoff;
    Radial radial;
    std::vector<double> weights;  // [n_species]
    auto key() const { return std::tie(cutoff, radial, weights); }
    bool operator<(const Field& other) const { return key() < other.key(); }
  };
  struct Use {
    Radial radial;
    int degree = 0;
    bool squared = false;
  };
  struct Block {
    std::vector<Use> uses;   // the highest degree first
    std::vector<int> base;   // variable of l = 0, 1, ... : first function, m = 0
    std::vector<int> count;  // functions of l
    int squares = -1;
  };
  struct Term {
    double coefficient;
    int a, b;
  };
  using Variables = std::vector<int>;

  Field field(const Function& f, int factor) const;
  void record(const Function& f);
  void record(const Field& field, int degree, bool squared);
  void lay_out();
  void lay_out(int species, int cutoff, Block& block);
  void add_steps(Block& block, MomentBlock& view);
  int emit(const Function& f);
  int angular(const Function& f, const Field& a, const Field& b, bool same);
  int product(const Function& f);
  const Variables& moments(const Field& field, int l);
  int squares(const Field& field);
  int power(const Field& a, const Field& b, int l);
  const Variables& coupled(const Field& a, int la, const Field& b, int lb, int l);
  int sum(int degree, const std::vector<Term>& terms);

  int n_species_, first_variable_, n_moments_ = 0;
  int next_variable_, next_row_;
  std::vector<Cutoff>& cutoffs_;
  std::map<std::pair<int, int>, Block> blocks_;  // by species and cutoff
  std::map<std::tuple<Field, int>, Variables> moments_;
  std::map<Field, int> squares_;
  std::map<std::tuple<Field, Field, int>, int> powers_;
  std::map<std::tuple<Field, int, Field, int, int>, Variables> coupled_;
  std::map<std::tuple<int, int, int>, std::vector<double>> averages_;  // of three harmonics

  std::vector<MomentBlock> block_views_;
  std::deque<std::vector<MomentRun>> runs_;  // deques keep addresses
  std::deque<std::vector<RadialStep>> steps_;
  std::deque<std::vector<int>> slots_, factors_;
  std::deque<std::vector<double>> coefficients_;
  std::vector<ProductSum> sums_;
};

}  // namespace alnn
