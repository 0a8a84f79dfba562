#include "moment_layout.hpp"

#include <algorithm>
#include <cmath>

namespace alnn {

void MomentLayout::record(const Field& field, int degree, bool squared) {
  for (int s = 0; s < static_cast<int>(field.weights.size()); ++s) {
    if (field.weights[s] == 0.0) continue;
    auto& uses = blocks_[{s, field.cutoff}].uses;
    auto it = std::find_if(uses.begin(), uses.end(), [&](const Use& u) { return u.radial == field.radial; });
    if (it == uses.end()) it = uses.insert(uses.end(), {field.radial, 0, false});
    it->degree = std::max(it->degree, degree);
    it->squared = it->squared || squared;
  }
}

void MomentLayout::arrange(const std::vector<Cutoff>& cutoffs) {
  for (auto& [key, block] : blocks_) arrange(key.first, key.second, cutoffs[key.second].outer, block);
}

void MomentLayout::arrange(int species, int cutoff, double outer, Block& block) {
  auto& uses = block.uses;
  std::sort(uses.begin(), uses.end(), [](const Use& a, const Use& b) {
    return std::make_tuple(-a.degree, !a.squared, a.radial) <
           std::make_tuple(-b.degree, !b.squared, b.radial);
  });
  MomentBlock view{};
  view.species = species, view.cutoff = cutoff;
  view.n_functions = static_cast<int>(uses.size());
  view.row = next_row_;
  next_row_ += view.n_functions;
  view.degree = uses[0].degree;
  auto& runs = runs_.emplace_back();
  for (int l = 0; l <= view.degree; ++l) {
    const auto reaches = [l](const Use& u) { return u.degree >= l; };
    const int count = static_cast<int>(std::count_if(uses.begin(), uses.end(), reaches));
    block.base.push_back(next_variable_), block.count.push_back(count);
    if (l > 1 && runs.back().count == count)
      runs.back().n += 2 * l + 1;
    else
      runs.push_back({l * l, 2 * l + 1, count, next_variable_});
    next_variable_ += (2 * l + 1) * count;
  }
  view.runs = runs.data(), view.n_runs = static_cast<int>(runs.size());
  for (int k = 0; k < view.n_functions; ++k)
    if (uses[k].squared) view.n_squares = k + 1;
  block.squares = view.squares = next_variable_;
  next_variable_ += view.n_squares;
  add_steps(block, outer, view);
  views_.push_back(view);
}

// Polynomials of one r_min by one recursion; Gaussians of equal width and even steps of r_s, up to sixteen,
// by products, as long as none of them starts from a number so small that its rounding shows.
void MomentLayout::add_steps(const Block& block, double cutoff, MomentBlock& view) {
  const auto& uses = block.uses;
  auto& steps = steps_.emplace_back();
  std::map<double, std::vector<int>> polynomials;  // slots by r_min
  for (int k = 0; k < view.n_functions; ++k) {
    const RadialFunction& r = uses[k].radial;
    if (r.polynomial) {
      auto& slots = polynomials[r.r_min];
      if (r.order >= static_cast<int>(slots.size())) slots.resize(r.order + 1, -1);
      slots[r.order] = k;
      continue;
    }
    if (!steps.empty() && r.eta > 0.0) {
      RadialStep& last = steps.back();
      const double delta = last.n > 1 ? last.delta : r.r_s - last.r_s;
      const double furthest = std::max(std::abs(last.r_s), std::abs(cutoff - last.r_s));
      const bool continues = last.eta == r.eta && last.n < 16 &&
                             std::abs(last.r_s + last.n * delta - r.r_s) <= 1e-14 * cutoff &&
                             r.eta * furthest * furthest < 300.0 &&
                             r.eta * std::abs(delta) * (16.0 * std::abs(delta) + 2.0 * furthest) < 300.0;
      if (continues) {
        last.delta = delta, ++last.n;
        last.shrink = std::exp(-2.0 * r.eta * delta * delta);
        slots_.back().push_back(k);
        last.slots = slots_.back().data();
        continue;
      }
    }
    const auto& slots = slots_.emplace_back(1, k);
    steps.push_back({RadialStep::Kind::gaussians, 1, slots.data(), r.eta, r.r_s, 0.0, 1.0, 0.0});
  }
  for (auto& [r_min, slots] : polynomials) {
    const auto& kept = slots_.emplace_back(slots);
    steps.push_back({RadialStep::Kind::polynomials, static_cast<int>(kept.size()), kept.data(), 0.0, 0.0, 0.0,
                     1.0, r_min});
  }
  view.steps = steps.data(), view.n_steps = static_cast<int>(steps.size());
}

int MomentLayout::Block::place(const RadialFunction& radial) const {
  const auto same = [&](const Use& u) { return u.radial == radial; };
  return static_cast<int>(std::find_if(uses.begin(), uses.end(), same) - uses.begin());
}

int MomentLayout::moment(const Field& field, int species, int l, int m) const {
  const Block& block = blocks_.at({species, field.cutoff});
  return block.base[l] + m * block.count[l] + block.place(field.radial);
}

int MomentLayout::square(const Field& field, int species) const {
  const Block& block = blocks_.at({species, field.cutoff});
  return block.squares + block.place(field.radial);
}

}  // namespace alnn
