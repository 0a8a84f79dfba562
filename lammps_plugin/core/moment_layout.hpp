// Which moments functions need, and in what order the kernel computes them.
#pragma once

#include <deque>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "kernel.hpp"

namespace alnn {

/// exp(-eta (r - r_s)^2), or T_order(x) with x from -1 at r_min to 1 at the cutoff.
struct RadialFunction {
  bool polynomial;
  int order;
  double eta, r_s, r_min;
  auto key() const { return std::tie(polynomial, r_min, eta, r_s, order); }
  bool operator<(const RadialFunction& other) const { return key() < other.key(); }
  bool operator==(const RadialFunction& other) const { return key() == other.key(); }
};

/// A radial function of the neighbours of some species, each with a weight: sum_j w_j R(r_j) ...
struct Field {
  int cutoff;
  RadialFunction radial;
  std::vector<double> weights;  ///< [n_species]
  auto key() const { return std::tie(cutoff, radial, weights); }
  bool operator<(const Field& other) const { return key() < other.key(); }
};

/// First all needs are recorded, then they are arranged, then variables can be asked for.
class MomentLayout {
 public:
  MomentLayout(int first_variable, int first_row)
      : first_variable_(first_variable), next_variable_(first_variable), next_row_(first_row) {}
  MomentLayout(const MomentLayout&) = delete;
  MomentLayout& operator=(const MomentLayout&) = delete;

  /// Moments of a field up to this degree, and the sum of its squares if wanted.
  void record(const Field& field, int degree, bool squared);
  void arrange(const std::vector<Cutoff>& cutoffs);

  /// Variables of a field's neighbours of one species: the m-th moment of degree l, and the sum of squares.
  int moment(const Field& field, int species, int l, int m) const;
  int square(const Field& field, int species) const;

  const std::vector<MomentBlock>& blocks() const { return views_; }
  int first_variable() const { return first_variable_; }
  int end_variable() const { return next_variable_; }
  int end_row() const { return next_row_; }

 private:
  struct Use {
    RadialFunction radial;
    int degree = 0;
    bool squared = false;
  };
  struct Block {
    std::vector<Use> uses;   // the highest degree first
    std::vector<int> base;   // variable of l = 0, 1, ... : first function, m = 0
    std::vector<int> count;  // functions of l
    int squares = -1;
    int place(const RadialFunction& radial) const;
  };

  void arrange(int species, int cutoff, double outer, Block& block);
  void add_steps(const Block& block, double cutoff, MomentBlock& view);

  int first_variable_, next_variable_, next_row_;
  std::map<std::pair<int, int>, Block> blocks_;  // by species and cutoff
  std::vector<MomentBlock> views_;
  std::deque<std::vector<MomentRun>> runs_;  // deques keep addresses
  std::deque<std::vector<RadialStep>> steps_;
  std::deque<std::vector<int>> slots_;
};

}  // namespace alnn
