// Arranges functions for evaluation by moments: which moments of which neighbours (moment_layout.hpp), and
// what sums of products of them (moment_sums.hpp) give the functions.
#pragma once

#include <memory>
#include <vector>

#include "moment_layout.hpp"
#include "moment_sums.hpp"
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

  /// `functions` of the element by moments, for vectors of `width` lanes, with variables from
  /// `first_variable` and rows from `first_row` on. Cutoffs are added to `cutoffs`; `variable` of each
  /// function is set.
  MomentPlan(const Element& element, const std::vector<int>& functions, int n_species, int width,
             int first_variable, int first_row, std::vector<Cutoff>& cutoffs, std::vector<int>& variable);
  MomentPlan(const MomentPlan&) = delete;
  MomentPlan& operator=(const MomentPlan&) = delete;

  MomentView view() const;
  int end_variable() const { return sums_->end_variable(); }
  int end_row() const { return layout_.end_row(); }
  int degree() const;

 private:
  Field field(const Function& f, int factor) const;
  void record(const Function& f);
  int emit(const Function& f);
  int angular(const Function& f, const Field& a, const Field& b, bool same);
  int product(const Function& f);

  int n_species_;
  std::vector<Cutoff>& cutoffs_;
  MomentLayout layout_;
  std::unique_ptr<MomentSums> sums_;
};

}  // namespace alnn
