#include "moment_plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sphere.hpp"

namespace alnn {

namespace {

constexpr int largest_order = 60;     // of a polynomial
constexpr double negligible = 1e-12;  // coefficients of Legendre polynomials: zero but for rounding

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

MomentPlan::MomentPlan(const Element& element, const std::vector<int>& functions, int n_species, int width,
                       int first_variable, int first_row, std::vector<Cutoff>& cutoffs,
                       std::vector<int>& variable)
    : n_species_(n_species), cutoffs_(cutoffs), layout_(first_variable, first_row) {
  for (const int k : functions) record(element.functions[k]);
  layout_.arrange(cutoffs_);
  sums_ = std::make_unique<MomentSums>(layout_, width);
  for (const int k : functions) variable[k] = emit(element.functions[k]);
}

// The density that a factor of a function sees.
Field MomentPlan::field(const Function& f, int factor) const {
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
        layout_.record(field(f, i), static_cast<int>(f.zeta),
                       f.neighbors[0] == f.neighbors[1] && f.lambda > 0.0);
      break;
    case Function::Type::chebyshev_angular:
      layout_.record(field(f, 0), f.order, true);
      break;
    case Function::Type::product:
      for (int i = 0; i < f.n_factors; ++i) layout_.record(field(f, i), f.factors[i].degree, false);
      break;
    default:
      layout_.record(field(f, 0), 0, false);
  }
}

// ---- what is made of them ----------------------------------------------------------------------------

int MomentPlan::emit(const Function& f) {
  switch (f.type) {
    case Function::Type::G5:
      return angular(f, field(f, 0), field(f, 1), f.neighbors[0] == f.neighbors[1]);
    case Function::Type::chebyshev_angular:
      return angular(f, field(f, 0), field(f, 0), true);
    case Function::Type::product:
      return product(f);
    default:
      return sums_->moments(field(f, 0), 0)[0];
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
  std::vector<MomentSums::Term> terms;
  for (int l = 0; l <= degree; ++l)
    if (std::abs(series[l]) > negligible) terms.push_back({prefactor * series[l], sums_->power(a, b, l), 0});
  const double at_one = !is_g5 ? 1.0 : f.lambda > 0.0 ? std::pow(2.0, f.zeta) : 0.0;
  if (same && at_one != 0.0) terms.push_back({-prefactor * at_one, sums_->squares(a), 0});
  return sums_->sum(1, terms);
}

// The average over the sphere of a product of projected densities, see Function.
int MomentPlan::product(const Function& f) {
  std::vector<Field> fields;
  for (int i = 0; i < f.n_factors; ++i) fields.push_back(field(f, i));
  const auto degree = [&](int i) { return f.factors[i].degree; };
  if (f.n_factors == 1) return sums_->moments(fields[0], 0)[0];
  if (f.n_factors == 2)
    return sums_->sum(1, {{1.0 / (2 * degree(0) + 1), sums_->power(fields[0], fields[1], degree(0)), 0}});
  const MomentSums::Variables pair = sums_->coupled(fields[0], degree(0), fields[1], degree(1), degree(2));
  const MomentSums::Variables& last = sums_->moments(fields[2], degree(2));
  std::vector<MomentSums::Term> terms;
  for (int m = 0; m <= 2 * degree(2); ++m) terms.push_back({1.0, pair[m], last[m]});
  return sums_->sum(2, terms);
}

int MomentPlan::degree() const {
  int largest = 0;
  for (const auto& block : layout_.blocks()) largest = std::max(largest, block.degree);
  return largest;
}

MomentView MomentPlan::view() const {
  return {static_cast<int>(layout_.blocks().size()),
          static_cast<int>(sums_->all().size()),
          layout_.first_variable(),
          layout_.end_variable() - layout_.first_variable(),
          layout_.blocks().data(),
          sums_->all().data()};
}

}  // namespace alnn
