// The grand-canonical ensemble without LAMMPS, against integrals.
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "check.hpp"
#include "mc/gc.hpp"

using namespace alnn;

namespace {

constexpr double temperature = 300.0, beta = 1.0 / (boltzmann * temperature);
constexpr double radius = 3.5;
const double in_volume = 4.0 / 3.0 * M_PI * radius * radius * radius;

// ---- an energy that sums a pair function: slow, plain, and unable to go wrong unnoticed ----

class PairEnergy : public OpenEnergyModel {
 public:
  PairEnergy(std::vector<Vec3> positions, Box box, std::function<double(double)> u)
      : now_(std::move(positions)), box_(box), u_(std::move(u)) {}

  double of_each = 0.0;  // eV; energy of a particle alone

  double recompute() override { return energy(now_); }
  double try_move(int i, const Vec3& p) override {
    trial_ = now_;
    trial_[i] = p;
    return change();
  }
  double try_volume(const Box&, const std::vector<Vec3>&) override { return NAN; }
  double try_insert(const Vec3& p) override {
    trial_ = now_;
    trial_.push_back(p);
    return change();
  }
  double try_remove(int i) override {
    trial_ = now_;
    trial_[i] = trial_.back();
    trial_.pop_back();
    return change();
  }
  const std::vector<double>& site_energies() override { return sites_ = sites(now_); }
  const std::vector<double>& trial_site_energies() override { return trial_sites_ = sites(trial_); }
  void accept() override { now_ = trial_; }
  void reject() override {}

 private:
  std::vector<double> sites(const std::vector<Vec3>& p) const {
    std::vector<double> energies(p.size(), of_each);
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        const double half = 0.5 * u_(std::sqrt(norm2(box_.minimum_image(p[j] - p[i]))));
        energies[i] += half, energies[j] += half;
      }
    return energies;
  }
  double energy(const std::vector<Vec3>& p) const {
    double total = 0.0;
    for (const double e : sites(p)) total += e;
    return total;
  }
  double change() const { return energy(trial_) - energy(now_); }
  std::vector<Vec3> now_, trial_;
  std::vector<double> sites_, trial_sites_;
  Box box_;
  std::function<double(double)> u_;
};

double nothing(double) { return 0.0; }
double well(double r) { return 0.06 * (std::pow(2.8 / r, 8) - 2.0 * std::pow(2.8 / r, 4)); }

// ---- ln p(N+1)/p(N) of independent chains, with the standard error of their mean ----

struct Estimate {
  double mean = 0.0, error = 0.0;
};

Estimate estimate(const std::vector<double>& values) {
  double sum = 0.0, squares = 0.0;
  for (const double v : values) sum += v, squares += v * v;
  const double n = static_cast<double>(values.size()), mean = sum / n;
  return {mean, std::sqrt((squares / n - mean * mean) / (n - 1.0))};
}

void expect_within(const Estimate& found, double exact, double largest_error, const std::string& what) {
  char text[160];
  std::snprintf(text, sizeof text, ": expected %.5f, found %.5f +- %.5f", exact, found.mean, found.error);
  expect(std::fabs(found.mean - exact) <= 3.0 * found.error + 1e-9 && found.error < largest_error,
         what + text);
}

struct Case {
  Box box;
  double rmin = 0.0;
  double cluster = radius;
  std::function<double(double)> u = nothing;
  double of_each = 0.0;
  int chains = 10;
};

/// For each size but the last, ln p(N+1)/p(N) without the umbrella: by visits, and by acceptance
/// probabilities.
struct Steps {
  std::vector<Estimate> visits, transitions;
};

Steps steps_of(const Case& c, GcSettings s) {
  s.temperature = temperature;
  s.swap.beta = beta;
  s.swap.radius = radius;
  if (s.umbrella.empty()) s.umbrella.assign(s.high - s.low + 1, 0.0);
  std::vector<std::vector<double>> visits(s.high - s.low), transitions(s.high - s.low);
  for (int chain = 0; chain < c.chains; ++chain) {
    const std::vector<Vec3> start{{0, 0, 0}};
    PairEnergy model(start, c.box, c.u);
    model.of_each = c.of_each;
    s.vapour_energy = energy_alone(start, model);
    Guards guards(start, {0}, c.box, {c.rmin}, c.cluster);
    ChainState state = start_chain(start, c.box, 0.0, model);
    const RandomNumbers random{static_cast<std::uint64_t>(chain + 1)};
    const GcResult result = run_gc(s, state, guards, model, random, [](std::int64_t) { return true; });
    for (int k = 0; k < s.high - s.low; ++k) {
      const SizeStatistics &a = result.sizes[k], &b = result.sizes[k + 1];
      const double bias = s.umbrella[k + 1] - s.umbrella[k];
      visits[k].push_back(std::log(static_cast<double>(b.visits) / a.visits) - bias);
      transitions[k].push_back(
          std::log(a.insertion_probability / a.insertions / (b.removal_probability / b.removals)) - bias);
    }
  }
  Steps steps;
  for (int k = 0; k < s.high - s.low; ++k) {
    steps.visits.push_back(estimate(visits[k]));
    steps.transitions.push_back(estimate(transitions[k]));
  }
  return steps;
}

GcSettings settings_of(Swap kind, int low, int high, double density, std::int64_t cycles) {
  GcSettings s;
  s.swap.kind = kind;
  s.swap.bias = 2.0;
  s.low = low, s.high = high;
  s.density = density;
  s.cycles = cycles;
  s.equilibrate = 200;
  s.displace = 1.0;
  return s;
}

// ---- exact results ----

/// Integral of exp(-beta u) over pairs between rmin and the cluster radius, one of them fixed.
double pair_integral(double rmin, const std::function<double(double)>& u) {
  const int n = 20000;
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    const double r = rmin + (radius - rmin) * (k + 0.5) / n;
    sum += std::exp(-beta * u(r)) * 4.0 * M_PI * r * r;
  }
  return sum * (radius - rmin) / n;
}

/// The same over connected triples of particles 1, 2 and 3 at distances a = r12, b = r13 and r23: a triple
/// with two bonds counts for each of three possible middles, one with three bonds once.
double triple_integral(double rmin, const std::function<double(double)>& u) {
  const int n = 160, m = 800;
  double sum = 0.0;
  for (int ka = 0; ka < n; ++ka)
    for (int kb = 0; kb < n; ++kb) {
      const double a = rmin + (radius - rmin) * (ka + 0.5) / n, b = rmin + (radius - rmin) * (kb + 0.5) / n;
      double angles = 0.0;
      for (int k = 0; k < m; ++k) {
        const double c = std::sqrt(a * a + b * b - 2.0 * a * b * (2.0 * (k + 0.5) / m - 1.0));
        if (c > rmin) angles += std::exp(-beta * u(c)) * (c < radius ? 1.0 : 3.0);
      }
      sum += 4.0 * M_PI * a * a * 2.0 * M_PI * b * b * angles * 2.0 / m * std::exp(-beta * (u(a) + u(b)));
    }
  return sum * std::pow((radius - rmin) / n, 2);
}

void expect_exact(const Case& c, const GcSettings& s, const std::string& name) {
  const double two = pair_integral(c.rmin, c.u), three = triple_integral(c.rmin, c.u);
  const Steps steps = steps_of(c, s);
  const double exact[2] = {std::log(s.density * two / 2.0), std::log(s.density * three / (3.0 * two))};
  for (int k = 0; k < 2; ++k) {
    const std::string what = name + ": ln p(" + std::to_string(k + 2) + ")/p(" + std::to_string(k + 1) + ")";
    expect_within(steps.visits[k], exact[k], 0.05, what + " by visits");
    expect_within(steps.transitions[k], exact[k], 0.05, what + " by acceptance probabilities");
  }
}

void test_energy_alone() {
  const std::vector<Vec3> start{{0, 0, 0}, {2.5, 0, 0}, {0, 2.6, 0}, {0, 0, 2.7}};
  PairEnergy model(start, Box{}, well);
  model.of_each = 0.3;
  const double before = model.recompute();
  expect(energy_alone(start, model) == 0.3 && model.recompute() == before, "the energy of a particle alone");
}

void test_integrals() {
  // Without rmin: V_in, and V_in^2 (3 - 2 * 15/32), 15/32 the share of triples with three bonds in
  // hard-sphere B3.
  expect(std::fabs(pair_integral(0.0, nothing) / in_volume - 1.0) < 1e-6, "the pair integral");
  expect(std::fabs(triple_integral(0.0, nothing) / (in_volume * in_volume * 33.0 / 16.0) - 1.0) < 1e-3,
         "the triple integral");
}

/// The last particle takes the number of a removed one, and the reverse move must still be that of the same
/// target.
void test_numbers_after_a_removal() {
  const std::vector<Vec3> start{{0, 0, 0}, {2.5, 0, 0}, {0, 2.6, 0}, {0, 0, 2.7}, {2.8, 2.8, 0}, {5, 0.3, 0}};
  GcSettings s = settings_of(Swap::ebavbmc, 1, 6, 1e12, 0);  // so dense that no removal is accepted
  s.temperature = temperature;
  s.swap.beta = beta, s.swap.radius = radius;
  s.umbrella.assign(6, 0.0);
  PairEnergy model(start, Box{}, well);
  Guards guards(start, std::vector<int>(6, 0), Box{}, {0.0}, 0.0);
  ChainState state = start_chain(start, Box{}, 0.0, model);
  const RandomNumbers random{1};
  int last_was_target = 0;
  for (int k = 0; k < 2000; ++k) {
    const TrialRemoval trial = propose_removal(s.swap, start, Box{}, model.site_energies(),
                                               random.words(state.move, Purpose::trial_move));
    std::vector<Vec3> left = start;
    left.erase(left.begin() + trial.particle);
    PairEnergy without(left, Box{}, well);
    const int target = trial.target - (trial.target > trial.particle);
    const double expected = log_insertion_target(s.swap, target, 5, without.site_energies()) -
                            log_removal(s.swap, trial, start, Box{}, model.site_energies()) -
                            beta * (without.recompute() - model.recompute()) -
                            std::log(in_volume * s.density);
    SizeStatistics here;
    expect(!attempt_removal(state, guards, model, random, s, here), "a removal into so dense a vapour");
    expect(std::fabs(std::log(here.removal_probability) - expected) < 1e-9, "acceptance of a removal");
    last_was_target += trial.target == 5 && trial.particle != 4;
  }
  expect(last_was_target > 5, "the last particle is a target");
}

void test_clusters() {
  for (const Swap kind : {Swap::avbmc, Swap::ebavbmc}) {
    const std::string name = kind == Swap::avbmc ? "plain" : "energy-biased";
    GcSettings s = settings_of(kind, 1, 3, 1.5 / in_volume, 12000);
    Case c;
    expect_exact(c, s, name + ", without interaction");
    s.umbrella = {0.0, 0.7, -0.4};
    c.rmin = 2.0;
    expect_exact(c, s, name + ", with rmin and an umbrella");
    c.u = well;
    s.density = 0.3 / in_volume;
    c.of_each = -0.5;  // of the vapour's particles, too
    expect_exact(c, s, name + ", with interaction");
    s.swaps = 0.8;
    c.box.lx = c.box.ly = c.box.lz = 11.0;
    c.box.yz = 1.0;
    c.box.periodic = {true, true, true};
    expect_exact(c, s, name + ", in a periodic box");
  }
}

void test_in_volume_smaller_than_the_cluster_radius() {
  // Swaps reach only part of the states; displacements make up for it.
  GcSettings s = settings_of(Swap::avbmc, 1, 3, 3.0 / in_volume, 12000);
  s.swaps = 0.3;
  Case c;
  const double all = radius;
  const auto narrow = [&](double r_in) {
    GcSettings t = s;
    t.temperature = temperature;
    t.umbrella.assign(3, 0.0);
    t.swap.radius = r_in;
    std::vector<double> values;
    for (int chain = 0; chain < 10; ++chain) {
      const std::vector<Vec3> start{{0, 0, 0}};
      PairEnergy model(start, c.box, c.u);
      Guards guards(start, {0}, c.box, {0.0}, all);
      ChainState state = start_chain(start, c.box, 0.0, model);
      const GcResult result = run_gc(t, state, guards, model, {static_cast<std::uint64_t>(chain + 50)},
                                     [](std::int64_t) { return true; });
      values.push_back(std::log(static_cast<double>(result.sizes[1].visits) / result.sizes[0].visits));
    }
    return estimate(values);
  };
  expect_within(narrow(2.5), std::log(s.density * in_volume / 2.0), 0.05,
                "an in-volume within the cluster radius");
}

void test_poisson() {
  Case c;
  c.box.lx = c.box.ly = 8.0, c.box.lz = 10.0;
  c.box.xz = 2.0;
  c.box.periodic = {true, true, true};
  c.cluster = 0.0;
  const double mean = 3.0;
  const GcSettings s = settings_of(Swap::box, 0, 12, mean / c.box.volume(), 4000);
  const Steps steps = steps_of(c, s);
  for (int n = 0; n < 6; ++n) {
    const std::string what = "Poisson: ln p(" + std::to_string(n + 1) + ")/p(" + std::to_string(n) + ")";
    expect_within(steps.visits[n], std::log(mean / (n + 1)), 0.05, what + " by visits");
    // Without interaction it has no scatter at all.
    expect(std::fabs(steps.transitions[n].mean - std::log(mean / (n + 1))) < 1e-9, what);
  }
}

void test_plain_and_energy_biased_agree() {
  Case c;
  c.rmin = 2.0;
  c.u = well;
  GcSettings s = settings_of(Swap::avbmc, 1, 8, 0.02 / in_volume, 6000);
  s.umbrella = {0.0, 2.8, 4.9, 6.2, 6.8, 6.8, 6.2, 5.1};
  const Steps plain = steps_of(c, s);
  s.swap.kind = Swap::ebavbmc;
  const Steps biased = steps_of(c, s);
  for (int k = 0; k < 7; ++k) {
    const Estimate &a = plain.transitions[k], &b = biased.transitions[k];
    const double error = std::hypot(a.error, b.error);
    char text[160];
    std::snprintf(text, sizeof text, "plain and energy-biased, N = %d: %.4f +- %.4f, %.4f +- %.4f", k + 1,
                  a.mean, a.error, b.mean, b.error);
    expect(std::fabs(a.mean - b.mean) < 3.0 * error && error < 0.06, text);
  }
}

}  // namespace

int main() {
  test_energy_alone();
  test_integrals();
  test_numbers_after_a_removal();
  test_clusters();
  test_in_volume_smaller_than_the_cluster_radius();
  test_poisson();
  test_plain_and_energy_biased_agree();
  return ended();
}
