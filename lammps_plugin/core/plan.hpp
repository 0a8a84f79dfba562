// A potential arranged for the fast kernel: functions sorted into blocks, padded to whole vectors, weights in
// both orders. The views point into the plan, which owns everything and must outlive them.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "aligned.hpp"
#include "kernel.hpp"
#include "moment_plan.hpp"
#include "potential.hpp"

namespace alnn {

class ElementPlan {
 public:
  ElementPlan(const Potential& potential, int species, const Kernel& kernel, int crowded_from);
  ElementPlan(const ElementPlan&) = delete;
  ElementPlan& operator=(const ElementPlan&) = delete;

  const ElementView& view() const { return view_; }
  /// Functions that the fast kernel has no block for (high orders of Chebyshev): evaluated by the plain code;
  /// indices into Element::functions.
  const std::vector<int>& plain() const { return plain_; }

 private:
  void sort_functions(const Element& element, const Kernel& kernel);
  void arrange_moments(const Element& element, int n_species, const Kernel& kernel, int crowded_from);
  void add_angular_group(const Element& element, AngularBlock block, const std::vector<int>& functions,
                         int width, int& offset);
  void add_angular_blocks(const Element& element, AngularBlock block, const std::vector<int>& functions,
                          int width, int& offset);
  void add_triplet_blocks(const Element& element, const std::vector<int>& functions, int& offset);
  void fill_row(const Element& element);
  void arrange_networks(const Element& element);

  ElementView view_{};
  std::vector<int> plain_;
  std::vector<RadialBlock> radial_;
  std::vector<AngularBlock> angular_;
  std::vector<CompactRadial> compact_;
  std::vector<TripletBlock> triplets_;
  std::deque<std::vector<Leg>> legs_;  // a deque keeps addresses
  std::deque<std::vector<Angle>> angles_;
  std::vector<Cutoff> cutoffs_;
  std::vector<int> position_, variable_;
  std::unique_ptr<bool[]> is_always_;
  std::unique_ptr<MomentPlan> always_, crowded_;
  AlignedVector eta_, r_s_, lambda_, slope_, zeta_bits_[max_bits];
  std::vector<double> prefactor_, mean_, inverse_std_, min_, max_;
  std::deque<std::vector<double>> weights_;
  std::deque<std::vector<LayerView>> layers_;
  std::vector<MemberView> members_;
};

/// Plans of all species of a potential.
struct Plan {
  /// `crowded_from`: sites of so many neighbours take G2 and G5 from moments; -1: where that is cheaper.
  explicit Plan(Potential potential, const Kernel& kernel = best_kernel(), int crowded_from = -1);

  Potential potential;
  const Kernel& kernel;
  std::deque<ElementPlan> elements;

  int n_species() const { return static_cast<int>(elements.size()); }
};

}  // namespace alnn
