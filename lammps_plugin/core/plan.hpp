// A potential arranged for the fast kernel: functions sorted into blocks, padded to whole vectors, weights in
// both orders. The views point into the plan, which owns everything and must outlive them.
#pragma once

#include <deque>
#include <vector>

#include "aligned.hpp"
#include "kernel.hpp"
#include "potential.hpp"

namespace alnn {

class ElementPlan {
 public:
  ElementPlan(const Potential& potential, int species, const Kernel& kernel);
  ElementPlan(const ElementPlan&) = delete;
  ElementPlan& operator=(const ElementPlan&) = delete;

  const ElementView& view() const { return view_; }
  /// Functions that the fast kernel has no block for (G4, Chebyshev, fractional zeta): evaluated by the plain
  /// code; indices into Element::functions.
  const std::vector<int>& plain() const { return plain_; }

 private:
  void sort_functions(const Element& element, const Kernel& kernel);
  void add_angular_blocks(const Element& element, AngularBlock block, const std::vector<int>& functions,
                          int width, int& offset);
  void fill_row(const Element& element);
  void arrange_networks(const Element& element);
  int cutoff_index(const Function& f);

  ElementView view_{};
  std::vector<int> plain_;
  std::vector<RadialBlock> radial_;
  std::vector<AngularBlock> angular_;
  std::vector<Cutoff> cutoffs_;
  std::vector<int> position_;
  AlignedVector eta_, r_s_, lambda_, slope_, zeta_bits_[max_bits];
  std::vector<double> prefactor_, mean_, inverse_std_, min_, max_;
  std::deque<std::vector<double>> weights_;  // a deque keeps addresses
  std::deque<std::vector<LayerView>> layers_;
  std::vector<MemberView> members_;
};

/// Plans of all species of a potential.
struct Plan {
  explicit Plan(Potential potential, const Kernel& kernel = best_kernel());

  Potential potential;
  const Kernel& kernel;
  std::deque<ElementPlan> elements;

  int n_species() const { return static_cast<int>(elements.size()); }
};

}  // namespace alnn
