#include "moment_plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sphere.hpp"

namespace alnn {

namespace {

constexpr int largest_order = 60;     // of a polynomial
constexpr double negligible = 1e-12;  // of averages of harmonics: zero but for rounding

double chebyshev(int n, double x) {
  double t0 = 1.0, t1 = x;
  for (int k = 0; k < n; ++k) {
    const double t2 = 2.0 * x * t1 - t0;
    t0 = t1, t1 = t2;
  }
  return t0;
}

double one_plus(int zeta, double x) { return std::pow(1.0 + x, zeta); }
double one_minus(int zeta, double x) { return std::pow(1.0 - x, zeta); }

bool is_integer(double x) { return x == std::floor(x); }

}  // namespace

int cutoff_index(std::vector<Cutoff>& cutoffs, const Cutoff& cutoff) {
  const auto same = [&](const Cutoff& c) {
    return c.inner == cutoff.inner && c.outer == cutoff.outer && c.form == cutoff.form;
  };
  const auto it = std::find_if(cutoffs.begin(), cutoffs.end(), same);
  if (it != cutoffs.end()) return static_cast<int>(it - cutoffs.begin());
  cutoffs.push_back(cutoff);
  return static_cast<int>(cutoffs.size()) - 1;
}

bool MomentPlan::serves(const Function& f) {
  switch (f.type) {
    case Function::Type::G2:
      return true;
    case Function::Type::G5:
      return is_integer(f.zeta) && f.zeta <= max_degree && f.r_s == 0.0;
    case Function::Type::G4:
      return false;
    default:
      return needs(f);
  }
}

bool MomentPlan::needs(const Function& f) {
  switch (f.type) {
    case Function::Type::chebyshev_radial:
      return f.order <= largest_order;
    case Function::Type::chebyshev_angular:
      return f.order <= max_degree;
    case Function::Type::product:
      return true;
    default:
      return false;
  }
}

MomentPlan::MomentPlan(const Element& element, const std::vector<int>& functions, int n_species,
                       int first_variable, int first_row, std::vector<Cutoff>& cutoffs,
                       std::vector<int>& variable)
    : n_species_(n_species),
      first_variable_(first_variable),
      next_variable_(first_variable),
      next_row_(first_row),
      cutoffs_(cutoffs) {
  for (const int k : functions) record(element.functions[k]);
  lay_out();
  for (const int k : functions) variable[k] = emit(element.functions[k]);
}

// The density that a factor of a function sees.
MomentPlan::Field MomentPlan::field(const Function& f, int factor) const {
  Field field{cutoff_index(cutoffs_, {f.inner_cutoff, f.cutoff, f.cutoff_form}),
              {},
              std::vector<double>(n_species_, 0.0)};
  switch (f.type) {
    case Function::Type::G2:
      field.radial = {false, 0, f.eta, f.eta > 0.0 ? f.r_s : 0.0, 0.0};
      field.weights[f.neighbors[0]] = 1.0;
      break;
    case Function::Type::G5:
      field.radial = {false, 0, f.eta, 0.0, 0.0};
      field.weights[f.neighbors[factor]] = 1.0;
      break;
    case Function::Type::product:
      field.radial = {true, f.factors[factor].order, 0.0, 0.0, f.r_min};
      for (int s = 0; s < n_species_; ++s) field.weights[s] = factor_weight(f, factor, s, n_species_);
      break;
    default:
      if (f.type == Function::Type::chebyshev_radial) field.radial = {true, f.order, 0.0, 0.0, 0.0};
      for (int s = 0; s < n_species_; ++s)
        field.weights[s] = f.weighted ? species_weight(s, n_species_) : 1.0;
  }
  return field;
}

// ---- which moments are needed ------------------------------------------------------------------------

void MomentPlan::record(const Function& f) {
  switch (f.type) {
    case Function::Type::G5:
      for (int i = 0; i < 2; ++i)
        record(field(f, i), static_cast<int>(f.zeta), f.neighbors[0] == f.neighbors[1] && f.lambda > 0.0);
      break;
    case Function::Type::chebyshev_angular:
      record(field(f, 0), f.order, true);
      break;
    case Function::Type::product:
      for (int i = 0; i < f.n_factors; ++i) record(field(f, i), f.factors[i].degree, false);
      break;
    default:
      record(field(f, 0), 0, false);
  }
}

void MomentPlan::record(const Field& field, int degree, bool squared) {
  for (int s = 0; s < n_species_; ++s) {
    if (field.weights[s] == 0.0) continue;
    auto& uses = blocks_[{s, field.cutoff}].uses;
    auto it = std::find_if(uses.begin(), uses.end(), [&](const Use& u) { return u.radial == field.radial; });
    if (it == uses.end()) it = uses.insert(uses.end(), {field.radial, 0, false});
    it->degree = std::max(it->degree, degree);
    it->squared = it->squared || squared;
  }
}

// ---- their arrangement -------------------------------------------------------------------------------

void MomentPlan::lay_out() {
  for (auto& [key, block] : blocks_) lay_out(key.first, key.second, block);
  n_moments_ = next_variable_ - first_variable_;
}

void MomentPlan::lay_out(int species, int cutoff, Block& block) {
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
  add_steps(block, view);
  block_views_.push_back(view);
}

// Polynomials of one r_min by one recursion; Gaussians of equal width and even steps of r_s, up to sixteen,
// by products, as long as none of them starts from a number so small that its rounding shows.
void MomentPlan::add_steps(Block& block, MomentBlock& view) {
  const auto& uses = block.uses;
  const double cutoff = cutoffs_[view.cutoff].outer;
  auto& steps = steps_.emplace_back();
  std::map<double, std::vector<int>> polynomials;  // slots by r_min
  for (int k = 0; k < view.n_functions; ++k) {
    const Radial& r = uses[k].radial;
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

// ---- what is made of them ----------------------------------------------------------------------------

// The variable of a sum; one that is a variable already needs no sum.
int MomentPlan::sum(int degree, const std::vector<Term>& terms) {
  if (degree == 1 && terms.size() == 1 && terms[0].coefficient == 1.0) return terms[0].a;
  auto& coefficients = coefficients_.emplace_back();
  auto& factors = factors_.emplace_back();
  for (const Term& t : terms) {
    coefficients.push_back(t.coefficient);
    factors.push_back(t.a);
    if (degree == 2) factors.push_back(t.b);
  }
  sums_.push_back(
      {next_variable_, degree, static_cast<int>(terms.size()), coefficients.data(), factors.data()});
  return next_variable_++;
}

// The 2l + 1 moments of a field, summed over species.
const MomentPlan::Variables& MomentPlan::moments(const Field& field, int l) {
  const auto [it, fresh] = moments_.try_emplace({field, l});
  if (!fresh) return it->second;
  for (int m = 0; m <= 2 * l; ++m) {
    std::vector<Term> terms;
    for (int s = 0; s < n_species_; ++s) {
      if (field.weights[s] == 0.0) continue;
      const Block& block = blocks_.at({s, field.cutoff});
      int k = 0;
      while (!(block.uses[k].radial == field.radial)) ++k;
      terms.push_back({field.weights[s], block.base[l] + m * block.count[l] + k, 0});
    }
    it->second.push_back(sum(1, terms));
  }
  return it->second;
}

// sum_j (w_j R_j)^2
int MomentPlan::squares(const Field& field) {
  const auto [it, fresh] = squares_.try_emplace(field);
  if (!fresh) return it->second;
  std::vector<Term> terms;
  for (int s = 0; s < n_species_; ++s) {
    if (field.weights[s] == 0.0) continue;
    const Block& block = blocks_.at({s, field.cutoff});
    int k = 0;
    while (!(block.uses[k].radial == field.radial)) ++k;
    terms.push_back({field.weights[s] * field.weights[s], block.squares + k, 0});
  }
  return it->second = sum(1, terms);
}

// sum_jk P_l(u_j . u_k) of two fields
int MomentPlan::power(const Field& a, const Field& b, int l) {
  const auto [it, fresh] = powers_.try_emplace({a, b, l});
  if (!fresh) return it->second;
  const auto factors = addition_factors(l);
  const Variables &va = moments(a, l), &vb = moments(b, l);
  std::vector<Term> terms;
  for (int m = 0; m <= 2 * l; ++m) terms.push_back({factors[m], va[m], vb[m]});
  return it->second = sum(2, terms);
}

int MomentPlan::emit(const Function& f) {
  switch (f.type) {
    case Function::Type::G5:
      return angular(f, field(f, 0), field(f, 1), f.neighbors[0] == f.neighbors[1]);
    case Function::Type::chebyshev_angular:
      return angular(f, field(f, 0), field(f, 0), true);
    case Function::Type::product:
      return product(f);
    default:
      return moments(field(f, 0), 0)[0];
  }
}

// An angular function as a sum over all pairs j, k; of the neighbours of one kind each pair once, and without
// j = k.
int MomentPlan::angular(const Function& f, const Field& a, const Field& b, bool same) {
  const bool is_g5 = f.type == Function::Type::G5;
  const int degree = is_g5 ? static_cast<int>(f.zeta) : f.order;
  const auto series = legendre_series(!is_g5           ? chebyshev
                                      : f.lambda > 0.0 ? one_plus
                                                       : one_minus,
                                      degree, degree);
  const double prefactor = (is_g5 ? std::pow(2.0, 1.0 - f.zeta) : 1.0) * (same ? 0.5 : 1.0);
  std::vector<Term> terms;
  for (int l = 0; l <= degree; ++l)
    if (std::abs(series[l]) > negligible) terms.push_back({prefactor * series[l], power(a, b, l), 0});
  const double at_one = !is_g5 ? 1.0 : f.lambda > 0.0 ? std::pow(2.0, f.zeta) : 0.0;
  if (same && at_one != 0.0) terms.push_back({-prefactor * at_one, squares(a), 0});
  return sum(1, terms);
}

// The 2l + 1 components of degree l of the product of two projected densities.
const MomentPlan::Variables& MomentPlan::coupled(const Field& a, int la, const Field& b, int lb, int l) {
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

// The average over the sphere of a product of projected densities, see Function.
int MomentPlan::product(const Function& f) {
  std::vector<Field> fields;
  for (int i = 0; i < f.n_factors; ++i) fields.push_back(field(f, i));
  const auto degree = [&](int i) { return f.factors[i].degree; };
  if (f.n_factors == 1) return moments(fields[0], 0)[0];
  if (f.n_factors == 2)
    return sum(1, {{1.0 / (2 * degree(0) + 1), power(fields[0], fields[1], degree(0)), 0}});
  const Variables pair = coupled(fields[0], degree(0), fields[1], degree(1), degree(2));
  const Variables& last = moments(fields[2], degree(2));
  std::vector<Term> terms;
  for (int m = 0; m <= 2 * degree(2); ++m) terms.push_back({1.0, pair[m], last[m]});
  return sum(2, terms);
}

int MomentPlan::degree() const {
  int largest = 0;
  for (const auto& block : block_views_) largest = std::max(largest, block.degree);
  return largest;
}

MomentView MomentPlan::view() const {
  return {static_cast<int>(block_views_.size()),
          static_cast<int>(sums_.size()),
          first_variable_,
          n_moments_,
          block_views_.data(),
          sums_.data()};
}

}  // namespace alnn
