// The Monte Carlo core without LAMMPS: random numbers, guards, acceptance, ensembles against exact results.
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "mc/chain.hpp"
#include "mc/metropolis.hpp"
#include "mc/nested.hpp"

using namespace alnn;

namespace {

// ---- random numbers: the known answers that Random123 publishes with the algorithm ----

void test_philox() {
  const PhiloxCounter zeros = philox4x32_10({0, 0, 0, 0}, {0, 0});
  expect(zeros == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, "philox of zeros");
  const std::uint32_t all = 0xffffffff;
  const PhiloxCounter ones = philox4x32_10({all, all, all, all}, {all, all});
  expect(ones == PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, "philox of ones");
  const PhiloxCounter pi =
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0});
  expect(pi == PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}, "philox of the digits of pi");
}

void test_streams_differ() {
  const RandomNumbers a{7, 0}, b{7, 1}, c{8, 0};
  expect(a.words(5, Purpose::trial_move) != b.words(5, Purpose::trial_move), "streams differ");
  expect(a.words(5, Purpose::trial_move) != c.words(5, Purpose::trial_move), "seeds differ");
  expect(a.words(5, Purpose::trial_move) != a.words(5, Purpose::acceptance), "purposes differ");
}

// ---- an energy that sums a pair function: slow, plain, and unable to go wrong unnoticed ----

class PairEnergy : public EnergyModel {
 public:
  PairEnergy(std::vector<Vec3> positions, Box box, std::function<double(double)> u)
      : positions_(std::move(positions)), box_(box), u_(std::move(u)) {}

  double recompute() override {
    double energy = 0.0;
    for (std::size_t i = 0; i < positions_.size(); ++i)
      energy += 0.5 * of(static_cast<int>(i), positions_[i]);
    return energy;
  }
  double try_move(int i, const Vec3& p) override {
    moved_ = i;
    to_ = p;
    return of(i, p) - of(i, positions_[i]) + error_a_move;
  }
  double try_volume(const Box&, const std::vector<Vec3>&) override { return NAN; }  // see test_mc_volume
  void accept() override { positions_[moved_] = to_; }
  void reject() override {}

  double error_a_move = 0.0;

 private:
  double of(int i, const Vec3& p) const {
    double energy = 0.0;
    for (std::size_t j = 0; j < positions_.size(); ++j)
      if (static_cast<int>(j) != i) energy += u_(std::sqrt(norm2(box_.minimum_image(positions_[j] - p))));
    return energy;
  }
  std::vector<Vec3> positions_;
  Box box_;
  std::function<double(double)> u_;
  int moved_ = 0;
  Vec3 to_;
};

// ---- guards against their definition ----

bool connected(const std::vector<Vec3>& p, const Box& box, double radius) {
  std::vector<int> reached{0};
  std::vector<bool> seen(p.size(), false);
  seen[0] = true;
  for (std::size_t k = 0; k < reached.size(); ++k)
    for (std::size_t j = 0; j < p.size(); ++j)
      if (!seen[j] && norm2(box.minimum_image(p[j] - p[reached[k]])) < radius * radius) {
        seen[j] = true;
        reached.push_back(static_cast<int>(j));
      }
  return reached.size() == p.size();
}

bool too_close(const std::vector<Vec3>& p, const std::vector<int>& kinds, const Box& box,
               const std::vector<double>& rmin) {
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const double limit = rmin[kinds[i] * 2 + kinds[j]];
      if (norm2(box.minimum_image(p[i] - p[j])) < limit * limit) return true;
    }
  return false;
}

void test_guards(const Box& box, int n, double radius, const std::string& name) {
  const std::vector<double> rmin{0.8, 1.0, 1.0, 1.2};
  std::vector<Vec3> positions;
  std::vector<int> kinds;
  for (int i = 0; i < n; ++i) {  // a chain folded into a block: thin enough to break often
    const int row = i / 8, column = row % 2 ? 7 - i % 8 : i % 8;
    positions.push_back({1.3 * column, 1.3 * (row % 4), 1.3 * (row / 4)});
    kinds.push_back(i % 2);
  }
  Guards guards(positions, kinds, box, rmin, radius);
  const RandomNumbers random{11};
  int passed = 0, close = 0, broken = 0;
  for (int move = 0; move < 20000; ++move) {
    const TrialMove trial = propose_displacement(positions, 0.9, random.words(move, Purpose::trial_move));
    const Guards::Verdict verdict = guards.try_move(trial.particle, trial.position);
    std::vector<Vec3> after = positions;
    after[trial.particle] = trial.position;
    const Guards::Verdict expected = too_close(after, kinds, box, rmin) ? Guards::Verdict::hard_core
                                     : radius > 0.0 && !connected(after, box, radius)
                                         ? Guards::Verdict::disconnected
                                         : Guards::Verdict::pass;
    if (verdict != expected) {
      expect(false, name + ": verdict of move " + std::to_string(move));
      return;
    }
    if (verdict == Guards::Verdict::pass) {
      guards.accept();
      positions = after;
      ++passed;
    }
    close += verdict == Guards::Verdict::hard_core;
    broken += verdict == Guards::Verdict::disconnected;
  }
  expect(passed > 500 && close > 500, name + ": both verdicts occur");
  expect(radius == 0.0 || broken > 500, name + ": the cluster criterion is put to the test");
}

void test_all_guards() {
  test_guards(Box{}, 20, 1.6, "free cluster of 20");
  test_guards(Box{}, 70, 1.6, "free cluster of 70, more than a word of bits");
  Box box;
  box.lx = box.ly = box.lz = 11.0;
  box.periodic = {true, true, true};
  test_guards(box, 64, 1.6, "periodic box");
  test_guards(box, 64, 0.0, "periodic box without cluster criterion");
  box.xy = 2.0;
  box.xz = -1.5;
  box.yz = 3.0;
  test_guards(box, 64, 1.6, "triclinic box");
}

template <class Fault>
void expect_refused(const std::string& what, const std::function<void()>& action) {
  try {
    action();
  } catch (const Fault&) {
    return;
  }
  expect(false, what);
}

void test_refused_starts() {
  const std::vector<double> rmin{1.0};
  expect_refused<std::invalid_argument>("overlap at the start",
                                        [&] { Guards({{0, 0, 0}, {0.5, 0, 0}}, {0, 0}, Box{}, rmin, 0.0); });
  expect_refused<std::invalid_argument>("two pieces at the start", [&] {
    Guards({{0, 0, 0}, {1.2, 0, 0}, {5, 0, 0}}, {0, 0, 0}, Box{}, rmin, 2.0);
  });
  Box small;
  small.lx = small.ly = small.lz = 3.0;
  small.periodic = {true, true, true};
  expect_refused<std::invalid_argument>("a box smaller than twice the radius",
                                        [&] { Guards({{0, 0, 0}}, {0}, small, rmin, 2.0); });
}

// ---- two particles: everything is an integral over their distance ----

constexpr double r_low = 1.0, r_high = 2.0;  // rmin and cluster radius
double well(double r) { return 0.05 * (std::pow(1.4 / r, 8) - 2.0 * std::pow(1.4 / r, 4)); }

double integral(const std::function<double(double)>& f, double a, double b) {
  const int n = 20000;
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    const double r = a + (b - a) * (k + 0.5) / n;
    sum += f(r) * 4.0 * M_PI * r * r;
  }
  return sum * (b - a) / n;
}

double distance(const ChainState& state) { return std::sqrt(norm2(state.positions[0] - state.positions[1])); }

void test_metropolis_pair() {
  const std::vector<Vec3> start{{0, 0, 0}, {1.4, 0, 0}};
  PairEnergy model(start, Box{}, well);
  Guards guards(start, {0, 0}, Box{}, {r_low}, r_high);
  ChainState state = start_chain(start, Box{}, 0.0, model);
  MetropolisSettings settings;
  settings.cycles = 400000;
  settings.equilibrate = 2000;
  double sum = 0.0, below = 0.0;
  const MetropolisResult result =
      run_metropolis(settings, state, guards, model, {3}, [&](std::int64_t cycle) {
        if (cycle > 0) sum += distance(state), below += distance(state) < 1.4;
        return true;
      });
  const double beta = 1.0 / (boltzmann * 300.0);
  const auto weight = [&](double r) { return std::exp(-beta * well(r)); };
  const double z = integral(weight, r_low, r_high);
  // Tolerances: about five standard errors of 400,000 cycles with a correlation of ten.
  expect_near(sum / settings.cycles, integral([&](double r) { return r * weight(r); }, r_low, r_high) / z,
              5e-3, "mean distance of a pair at 300 K");
  expect_near(below / settings.cycles, integral(weight, r_low, 1.4) / z, 1.2e-2, "share of short distances");
  expect_near(result.equilibration.acceptance(), 0.4, 0.1, "acceptance while tuning");
  expect(state.counts.hard_core > 0 && state.counts.disconnected > 0, "both guards met");
}

void test_nested_pair() {
  const std::vector<Vec3> start{{0, 0, 0}, {1.4, 0, 0}};
  PairEnergy model(start, Box{}, well);
  Guards guards(start, {0, 0}, Box{}, {r_low}, r_high);
  ChainState state = start_chain(start, Box{}, 0.0, model);
  NestedSettings settings;
  settings.cycles = 12 * 100000;
  settings.stage = 100000;
  settings.displace = 0.4;
  settings.tune = true;
  settings.temperatures = {300.0};
  const NestedResult result = run_nested(
      settings, state, guards, model, {5}, [](const Stage&, std::int64_t, const std::vector<double>&) {},
      [](std::int64_t) { return true; });
  expect(result.stages.size() == 12, "twelve stages");
  double before = integral([](double) { return 1.0; }, r_low, r_high);
  const double all = before;
  for (std::size_t k = 0; k < 8; ++k) {
    const double cap = 2.0 * result.stages[k].next_cap;  // two particles
    const double volume = integral([&](double r) { return well(r) <= cap ? 1.0 : 0.0; }, r_low, r_high);
    expect_near(volume / before, 0.5, 0.03, "volume kept by stage " + std::to_string(k));
    before = volume;
  }
  const double beta = 1.0 / (boltzmann * 300.0);
  const double exact =
      std::log(integral([&](double r) { return std::exp(-beta * well(r)); }, r_low, r_high) / all);
  expect_near(log_partition_function(result.stages, 0), exact, 0.05, "partition function of a pair at 300 K");
}

// ---- what must not pass ----

void test_drift_is_an_error() {
  const std::vector<Vec3> start{{0, 0, 0}, {1.4, 0, 0}};
  PairEnergy model(start, Box{}, well);
  Guards guards(start, {0, 0}, Box{}, {r_low}, r_high);
  ChainState state = start_chain(start, Box{}, 0.0, model);
  model.error_a_move = 1e-9;
  MetropolisSettings settings;
  settings.cycles = 1000;
  settings.check = 100;
  expect_refused<std::runtime_error>("a drift of the running energy", [&] {
    run_metropolis(settings, state, guards, model, {1}, [](std::int64_t) { return true; });
  });
}

void test_non_finite_energies_are_rejected() {
  const std::vector<Vec3> start{{0, 0, 0}, {1.4, 0, 0}};
  PairEnergy model(start, Box{}, [](double r) { return r > 1.5 ? NAN : r < 1.2 ? -INFINITY : 0.0; });
  Guards guards(start, {0, 0}, Box{}, {r_low}, r_high);
  ChainState state = start_chain(start, Box{}, 0.0, model);
  const CapRule everything{};
  for (int k = 0; k < 1000; ++k) {
    attempt_displacement(state, guards, model, {2}, 0.3, everything);
    expect(distance(state) <= 1.5 && distance(state) >= 1.2, "a non-finite energy was accepted");
  }
  expect(state.counts.non_finite > 100 && state.counts.accepted > 100, "non-finite energies are counted");
}

void test_cap_rule() {
  const CapRule rule{1.0};
  const RandomNumbers random{1};
  expect(rule(0.5, 1.0, 0.0, random, 0), "at the cap is inside");
  expect(!rule(0.5, 1.1, 0.0, random, 0), "above the cap is outside");
  expect(rule(3.0, 2.0, 0.0, random, 0), "above the cap, falling");
  expect(!rule(2.0, 3.0, 0.0, random, 0), "above the cap, rising");
  expect(!rule(0.5, 1.0, -50.0, random, 0), "at the cap, but the measure vanishes");
}

void test_median() {
  std::vector<double> odd{5, 1, 4}, even{4, 1, 3, 2}, one{7};
  expect(median(odd) == 4 && median(even) == 2 && median(one) == 7, "median");
}

void test_tuning() {
  expect(tuned_displacement(0.3, 0.4) == 0.3, "at the target");
  expect(tuned_displacement(0.3, 0.0) == 0.15 && tuned_displacement(0.3, 1.0) == 0.6,
         "at most a factor of two");
}

}  // namespace

int main() {
  test_philox();
  test_streams_differ();
  test_all_guards();
  test_refused_starts();
  test_metropolis_pair();
  test_nested_pair();
  test_drift_is_an_error();
  test_non_finite_energies_are_rejected();
  test_cap_rule();
  test_median();
  test_tuning();
  return ended();
}
