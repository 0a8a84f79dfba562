#include "plan.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace alnn {

namespace {

constexpr double largest_power = 1e6;  // that is taken by products

bool is_angular(const Function& f) { return f.type == Function::Type::G4 || f.type == Function::Type::G5; }

bool is_compact_angular(const Function& f) {
  return f.type == Function::Type::compact_wide || f.type == Function::Type::compact_narrow;
}

bool counts_opposite_side(const Function& f) {
  return f.type == Function::Type::G4 || f.type == Function::Type::compact_narrow;
}

Support support_of(const Function& f) {
  return is_compact(f) ? Support{f.lower, f.cutoff, f.asymmetric} : Support{};
}

// Whether an AngularBlock can take it.
bool is_fast_angular(const Function& f) {
  return f.type == Function::Type::G5 && f.r_s == 0.0 && f.zeta == std::floor(f.zeta) &&
         f.zeta - 1.0 < (1 << max_bits);
}

int binary_digits(int n) {
  int digits = 1;
  while (n >> digits) ++digits;
  return digits;
}

using Lane = std::vector<int>;  // functions of one (lambda, zeta) by rising eta

// One lane a (lambda, zeta), the longest first; no lane longer than max_vectors.
std::vector<Lane> lanes_of(const std::vector<Function>& all, const std::vector<int>& functions) {
  std::map<std::pair<double, double>, Lane> by_angle;
  for (const int k : functions) by_angle[{all[k].zeta, all[k].lambda}].push_back(k);
  std::vector<Lane> lanes;
  for (auto& [angle, lane] : by_angle) {
    std::stable_sort(lane.begin(), lane.end(), [&](int a, int b) { return all[a].eta < all[b].eta; });
    for (std::size_t i = 0; i < lane.size(); i += max_vectors)
      lanes.emplace_back(lane.begin() + i,
                         lane.begin() + std::min<std::size_t>(lane.size(), i + max_vectors));
  }
  std::stable_sort(lanes.begin(), lanes.end(),
                   [](const Lane& a, const Lane& b) { return a.size() > b.size(); });
  return lanes;
}

// The step of eta that all lanes share, or -1. Rounding of the file's numbers is allowed for: an error of
// 1e-15 in eta changes exp(-eta r^2) by some 1e-14.
double shared_step(const std::vector<Function>& all, const std::vector<Lane>& lanes) {
  double step = -1.0;
  for (const Lane& lane : lanes)
    for (std::size_t v = 1; v < lane.size(); ++v) {
      const double here = all[lane[v]].eta - all[lane[v - 1]].eta;
      if (step < 0.0) step = here;
      if (std::abs(here - step) > 1e-15) return -1.0;
    }
  return step;
}

// Costs of a site of n neighbours, equally many of each species, in vector operations: counted, and weighted
// as measured.
double cost_of_triplets(const ElementView& e, int n_species, double n) {
  const double of_species = n / n_species;
  double cost = 0.0;
  for (int i = 0; i < e.n_radial; ++i) cost += of_species * e.radial[i].vectors * 35.0;
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (!block.by_moments) continue;
    const double pairs =
        of_species * (block.species_a == block.species_b ? 0.5 * (of_species - 1.0) : of_species);
    cost += pairs * (25.0 + 3.0 * block.bits + 6.0 * block.vectors);
  }
  return 0.65 * cost;
}

double cost_of_moments(const ElementView& e, int n_species, int width, double n) {
  const double vectors = std::ceil(n / n_species / width);
  double cost = 0.0;
  for (int i = 0; i < e.crowded.n_blocks; ++i) {
    const MomentBlock& block = e.crowded.blocks[i];
    double moments = 0.0;
    for (int r = 0; r < block.n_runs; ++r) moments += block.runs[r].n * block.runs[r].count;
    const double harmonics = (block.degree + 1) * (block.degree + 1);
    cost += vectors * (6.0 * harmonics + 3.0 * moments + 30.0 * block.n_functions) + 8.0 * moments;
  }
  for (int i = 0; i < e.crowded.n_sums; ++i) cost += 12.0 * e.crowded.sums[i].n / width;
  return cost;
}

// Neighbours from which on moments are the cheaper way by a fifth.
int cheaper_from(const ElementView& e, int n_species, int width) {
  constexpr int most = 1000;
  if (e.crowded.n_blocks == 0) return INT_MAX;
  for (int n = 2; n < most; ++n)
    if (1.25 * cost_of_moments(e, n_species, width, n) < cost_of_triplets(e, n_species, n)) return n;
  return INT_MAX;
}

}  // namespace

ElementPlan::ElementPlan(const Potential& potential, int species, const Kernel& kernel, int crowded_from) {
  const Element& element = potential.elements[species];
  const std::size_t n = element.functions.size();
  position_.assign(n, -1);
  sort_functions(element, kernel);
  fill_row(element);
  view_.n_functions = static_cast<int>(n);
  view_.radial = radial_.data();
  view_.angular = angular_.data();
  view_.n_radial = static_cast<int>(radial_.size());
  view_.n_angular = static_cast<int>(angular_.size());
  view_.compact = compact_.data();
  view_.n_compact = static_cast<int>(compact_.size());
  view_.triplets = triplets_.data();
  view_.n_triplets = static_cast<int>(triplets_.size());
  arrange_moments(element, potential.n_species(), kernel, crowded_from);
  view_.cutoffs = cutoffs_.data();
  view_.n_cutoffs = static_cast<int>(cutoffs_.size());
  view_.position = position_.data();
  view_.energy_scale = potential.energy_scale;
  view_.shift = element.shift;
  arrange_networks(element);
}

void ElementPlan::sort_functions(const Element& element, const Kernel& kernel) {
  std::map<std::pair<int, int>, std::vector<int>> radial;  // by species and cutoff
  std::map<std::tuple<int, int, int>, std::vector<int>> angular;
  std::vector<int> others, compact;
  for (int k = 0; k < static_cast<int>(element.functions.size()); ++k) {
    const Function& f = element.functions[k];
    const Cutoff cutoff{f.inner_cutoff, f.cutoff, f.cutoff_form};
    if (f.type == Function::Type::G2)
      radial[{f.neighbors[0], cutoff_index(cutoffs_, cutoff)}].push_back(k);
    else if (is_fast_angular(f))
      angular[{f.neighbors[0], f.neighbors[1], cutoff_index(cutoffs_, cutoff)}].push_back(k);
    else if (is_angular(f) || is_compact_angular(f))
      others.push_back(k);
    else if (is_compact(f))
      compact.push_back(k);
    else if (!MomentPlan::needs(f))
      plain_.push_back(k);
  }
  int offset = 0;
  for (const auto& [key, functions] : radial) {
    const int vectors = round_up(static_cast<int>(functions.size()), kernel.width) / kernel.width;
    radial_.push_back({key.first, key.second, offset, vectors});
    for (std::size_t i = 0; i < functions.size(); ++i) position_[functions[i]] = offset + static_cast<int>(i);
    offset += vectors * kernel.width;
  }
  for (const auto& [key, functions] : angular)
    add_angular_blocks(element, {std::get<0>(key), std::get<1>(key), std::get<2>(key), 0, 0, 0, -1.0, false},
                       functions, kernel.width, offset);
  for (const int k : compact) {
    const Function& f = element.functions[k];
    compact_.push_back({f.neighbors[0], support_of(f), f.cutoff_form, offset});
    position_[k] = offset++;
  }
  add_triplet_blocks(element, others, offset);
  for (std::size_t k = 0; k < position_.size(); ++k)
    if (position_[k] < 0 && !MomentPlan::needs(element.functions[k])) position_[k] = offset++;
  view_.row = round_up(offset, 8);
}

// Blocks that moments can replace apart from others.
void ElementPlan::add_angular_blocks(const Element& element, AngularBlock block,
                                     const std::vector<int>& functions, int width, int& offset) {
  std::vector<int> groups[2];
  for (const int k : functions) groups[MomentPlan::serves(element.functions[k])].push_back(k);
  for (const bool by_moments : {true, false}) {
    block.by_moments = by_moments;
    add_angular_group(element, block, groups[by_moments], width, offset);
  }
}

void ElementPlan::add_angular_group(const Element& element, AngularBlock block,
                                    const std::vector<int>& functions, int width, int& offset) {
  const std::vector<Lane> lanes = lanes_of(element.functions, functions);
  for (std::size_t first = 0; first < lanes.size(); first += width) {
    const std::size_t last = std::min<std::size_t>(lanes.size(), first + width);
    const std::vector<Lane> mine(lanes.begin() + first, lanes.begin() + last);
    block.offset = offset;
    block.vectors = static_cast<int>(mine[0].size());
    block.delta = shared_step(element.functions, mine);
    int largest = 0;
    for (std::size_t lane = 0; lane < mine.size(); ++lane)
      for (std::size_t v = 0; v < mine[lane].size(); ++v) {
        position_[mine[lane][v]] = offset + static_cast<int>(v) * width + static_cast<int>(lane);
        largest = std::max(largest, static_cast<int>(element.functions[mine[lane][v]].zeta) - 1);
      }
    block.bits = binary_digits(largest);
    angular_.push_back(block);
    offset += block.vectors * width;
  }
}

void ElementPlan::add_triplet_blocks(const Element& element, const std::vector<int>& functions, int& offset) {
  using Kind = std::tuple<int, int, int, bool, bool, CutoffForm>;  // what a block has in common
  using Width = std::tuple<double, double, double, double, bool>;  // and a leg
  std::map<Kind, std::map<Width, std::vector<Angle>>> blocks;
  for (const int k : functions) {
    const Function& f = element.functions[k];
    const auto [a, b] = std::minmax(f.neighbors[0], f.neighbors[1]);
    const bool compact = is_compact(f);
    const int cutoff = compact ? -1 : cutoff_index(cutoffs_, {f.inner_cutoff, f.cutoff, f.cutoff_form});
    const CutoffForm form = compact ? f.cutoff_form : CutoffForm::cosine;
    const Support support = support_of(f);
    const bool whole = f.zeta == std::floor(f.zeta) && f.zeta < largest_power;
    blocks[{a, b, cutoff, counts_opposite_side(f), compact, form}][{f.eta, f.r_s, support.lower,
                                                                    support.cutoff, support.asymmetric}]
        .push_back({f.lambda, f.zeta, whole ? static_cast<int>(f.zeta) - 1 : -1, offset, f.left, f.right});
    position_[k] = offset++;
  }
  for (const auto& [key, widths] : blocks) {
    auto& legs = legs_.emplace_back();
    for (const auto& [width, angles] : widths) {
      const auto& kept = angles_.emplace_back(angles);
      const auto& [eta, r_s, lower, upper, asymmetric] = width;
      legs.push_back({eta, r_s, {lower, upper, asymmetric}, static_cast<int>(kept.size()), kept.data()});
    }
    const auto& [a, b, cutoff, opposite, compact, form] = key;
    const int n = static_cast<int>(legs.size());
    triplets_.push_back({a, b, cutoff, opposite, compact, form, view_.n_legs, n, legs.data()});
    view_.n_legs += n;
  }
}

void ElementPlan::arrange_moments(const Element& element, int n_species, const Kernel& kernel,
                                  int crowded_from) {
  const std::size_t n = element.functions.size();
  std::vector<int> always, crowded;
  is_always_ = std::make_unique<bool[]>(n);
  for (std::size_t k = 0; k < n; ++k) {
    const Function& f = element.functions[k];
    is_always_[k] = MomentPlan::needs(f);
    if (MomentPlan::serves(f)) (is_always_[k] ? always : crowded).push_back(static_cast<int>(k));
  }
  variable_.assign(n, -1);
  always_ = std::make_unique<MomentPlan>(element, always, n_species, kernel.width, 0, 0, cutoffs_, variable_);
  crowded_ = std::make_unique<MomentPlan>(element, crowded, n_species, kernel.width, always_->end_variable(),
                                          always_->end_row(), cutoffs_, variable_);
  view_.always = always_->view();
  view_.crowded = crowded_->view();
  view_.crowded_from = crowded_from >= 0 && view_.crowded.n_blocks > 0
                           ? crowded_from
                           : cheaper_from(view_, n_species, kernel.width);
  view_.n_variables = crowded_->end_variable();
  view_.n_moment_rows = crowded_->end_row();
  view_.moment_degree = std::max(always_->degree(), crowded_->degree());
  view_.variable = variable_.data();
  view_.is_always = is_always_.get();
}

void ElementPlan::fill_row(const Element& element) {
  for (AlignedVector* array : {&eta_, &r_s_, &lambda_, &slope_}) array->assign(view_.row, 0.0);
  for (auto& bits : zeta_bits_) bits.assign(view_.row, 0.0);
  const bool scaled = !element.scaling.mean.empty();
  for (std::size_t k = 0; k < element.functions.size(); ++k) {
    const Function& f = element.functions[k];
    if (const int p = position_[k]; p >= 0) {
      eta_[p] = f.eta;
      r_s_[p] = f.r_s;
      lambda_[p] = f.lambda;
      slope_[p] = f.lambda * f.zeta;
      for (int bit = 0; bit < max_bits; ++bit)
        zeta_bits_[bit][p] = ((static_cast<int>(f.zeta) - 1) >> bit) & 1 ? 1.0 : 0.0;
    }
    prefactor_.push_back(is_angular(f) ? std::pow(2.0, 1.0 - f.zeta) : 1.0);
    mean_.push_back(scaled ? element.scaling.mean[k] : 0.0);
    inverse_std_.push_back(!scaled ? 1.0 : element.scaling.std[k] > 0.0 ? 1.0 / element.scaling.std[k] : 0.0);
    const double low = scaled ? element.scaling.min[k] : -INFINITY;
    const double high = scaled ? element.scaling.max[k] : INFINITY;
    const double margin = scaled ? range_margin(low, high) : 0.0;
    min_.push_back(low - margin);
    max_.push_back(high + margin);
  }
  view_.eta = eta_.data();
  view_.r_s = r_s_.data();
  view_.lambda = lambda_.data();
  view_.slope = slope_.data();
  for (int bit = 0; bit < max_bits; ++bit) view_.zeta_bit[bit] = zeta_bits_[bit].data();
  view_.prefactor = prefactor_.data();
  view_.mean = mean_.data();
  view_.inverse_std = inverse_std_.data();
  view_.min = min_.data();
  view_.max = max_.data();
}

void ElementPlan::arrange_networks(const Element& element) {
  view_.widest_layer = view_.n_functions;
  view_.deepest_network = 1;
  for (const auto& network : element.members) {
    layers_.emplace_back();
    for (const auto& layer : network) {
      const auto& out_major = weights_.emplace_back(layer.weights);
      auto& in_major = weights_.emplace_back(layer.weights.size());
      for (int o = 0; o < layer.n_out; ++o)
        for (int i = 0; i < layer.n_in; ++i) in_major[i * layer.n_out + o] = out_major[o * layer.n_in + i];
      const auto& bias = weights_.emplace_back(layer.bias);
      layers_.back().push_back(
          {layer.n_in, layer.n_out, in_major.data(), out_major.data(), bias.data(), layer.activation});
      view_.widest_layer = std::max({view_.widest_layer, layer.n_in, layer.n_out});
    }
    view_.deepest_network = std::max(view_.deepest_network, static_cast<int>(network.size()));
    members_.push_back({layers_.back().data(), static_cast<int>(network.size())});
  }
  view_.members = members_.data();
  view_.n_members = static_cast<int>(members_.size());
}

Plan::Plan(Potential p, const Kernel& k, int crowded_from) : potential(std::move(p)), kernel(k) {
  for (int s = 0; s < potential.n_species(); ++s) elements.emplace_back(potential, s, kernel, crowded_from);
}

}  // namespace alnn
