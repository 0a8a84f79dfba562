// Moves of the volume and cells, without LAMMPS: against plain scans and against the exact ideal gas.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "mc/block_average.hpp"
#include "mc/cell_list.hpp"
#include "mc/chain.hpp"
#include "mc/metropolis.hpp"
#include "mc/nested.hpp"

using namespace alnn;

namespace {

Box tilted_box(double length) {
  Box box;
  box.lx = length, box.ly = 1.1 * length, box.lz = 0.9 * length;
  box.xy = 0.3 * length, box.xz = -0.2 * length, box.yz = 0.4 * length;
  box.periodic = {true, true, true};
  return box;
}

Box cube(double length) {
  Box box;
  box.lx = box.ly = box.lz = length;
  box.periodic = {true, true, true};
  return box;
}

/// Particles all over a box and its images; with `closest` above 0 no pair is closer.
std::vector<Vec3> scattered(const Box& box, int n, double closest, std::uint64_t seed) {
  const RandomNumbers random{seed};
  std::vector<Vec3> positions;
  for (std::uint64_t k = 0; static_cast<int>(positions.size()) < n; ++k) {
    const PhiloxCounter w = random.words(k, Purpose::trial_move);
    const double a = 5.0 * uniform(w[0]) - 2.0, b = 5.0 * uniform(w[1]) - 2.0, c = 5.0 * uniform(w[2]) - 2.0;
    const Vec3 p{a * box.lx + b * box.xy + c * box.xz, b * box.ly + c * box.yz, c * box.lz};
    if (std::all_of(positions.begin(), positions.end(),
                    [&](const Vec3& q) { return norm2(box.minimum_image(p - q)) >= closest * closest; }))
      positions.push_back(p);
  }
  return positions;
}

// ---- cells against their definition ----

std::vector<int> within(const std::vector<Vec3>& positions, const Box& box, const Vec3& point, double r) {
  std::vector<int> found;
  for (std::size_t j = 0; j < positions.size(); ++j)
    if (norm2(box.minimum_image(positions[j] - point)) < r * r) found.push_back(static_cast<int>(j));
  return found;
}

std::vector<int> within(const CellList& cells, const Box& box, const Vec3& point, double r) {
  std::vector<int> found;
  cells.near(point, [&](int j, const Vec3& p) {
    if (norm2(box.minimum_image(p - point)) < r * r) found.push_back(j);
  });
  std::sort(found.begin(), found.end());
  return found;
}

void test_cells(const Box& box, const std::string& name) {
  const double radius = 3.0;
  const int n = 400;
  std::vector<Vec3> positions = scattered(box, n, 0.0, 1);
  expect(CellList::pays(box, n, radius), name + ": cells pay");
  CellList cells(positions, box, radius);
  const RandomNumbers random{2};
  std::size_t met = 0;
  for (int move = 0; move < 3000; ++move) {
    const TrialMove trial = propose_displacement(positions, 8.0, random.words(move, Purpose::trial_move));
    positions[trial.particle] = trial.position;
    cells.move(trial.particle, trial.position);
    const std::vector<int> expected = within(positions, box, trial.position, radius);
    met += expected.size() - 1;
    if (within(cells, box, trial.position, radius) == expected) continue;
    expect(false, name + ": neighbours after move " + std::to_string(move));
    return;
  }
  expect(met > 3000, name + ": neighbours are met");
}

void test_where_cells_pay() {
  Box slab = cube(30.0);
  slab.periodic[2] = false;
  expect(!CellList::pays(slab, 1000, 3.0), "an open box has no cells");
  expect(!CellList::pays(cube(9.5), 1000, 3.0), "27 cells of 27 save nothing");
  expect(!CellList::pays(cube(30.0), 25, 3.0), "few particles have no cells");
}

void test_guards_with_cells(const Box& box, double cluster, const std::string& name) {
  const std::vector<double> rmin{1.6, 1.8, 1.8, 2.0};
  const int n = 500;
  std::vector<Vec3> positions = scattered(box, n, 2.0, 3);
  std::vector<int> kinds(n);
  for (int i = 0; i < n; ++i) kinds[i] = i % 2;
  Guards fast(positions, kinds, box, rmin, cluster), plain(positions, kinds, box, rmin, cluster, false);
  const RandomNumbers random{4};
  Box now = box;
  int verdicts[4] = {0, 0, 0, 0};
  for (int move = 0; move < 4000; ++move) {
    const PhiloxCounter words = random.words(move, Purpose::trial_move);
    const bool of_volume = move % 20 == 0;
    const TrialMove trial = propose_displacement(positions, 1.5, words);
    const TrialVolume volume = propose_volume(now, positions, 0.1, words);
    const Guards::Verdict verdict = of_volume ? plain.try_volume(volume.box, volume.positions)
                                              : plain.try_move(trial.particle, trial.position);
    const Guards::Verdict found = of_volume ? fast.try_volume(volume.box, volume.positions)
                                            : fast.try_move(trial.particle, trial.position);
    if (found != verdict) {
      expect(false, name + ": verdict of move " + std::to_string(move));
      return;
    }
    ++verdicts[static_cast<int>(verdict)];
    if (verdict != Guards::Verdict::pass) continue;
    plain.accept(), fast.accept();
    if (of_volume)
      positions = volume.positions, now = volume.box;
    else
      positions[trial.particle] = trial.position;
  }
  expect(verdicts[0] > 300 && verdicts[1] > 300, name + ": both verdicts occur");
  expect(cluster == 0.0 || verdicts[2] > 10, name + ": the cluster criterion is put to the test");
}

void test_volume_guards() {
  const std::vector<Vec3> pair{{1, 1, 1}, {3.2, 1, 1}};
  Guards guards(pair, {0, 0}, cube(10.0), {2.0}, 0.0);
  const auto verdict = [&](double factor) {
    std::vector<Vec3> scaled = pair;
    for (Vec3& p : scaled) p = factor * p;
    return guards.try_volume(cube(10.0).scaled(factor), scaled);
  };
  expect(verdict(0.92) == Guards::Verdict::pass, "a pair still far enough apart");
  expect(verdict(0.90) == Guards::Verdict::hard_core, "a pair pressed into its core");
  expect(verdict(0.39) == Guards::Verdict::narrow, "a box narrower than twice rmin");
  expect(verdict(0.90) == Guards::Verdict::hard_core && verdict(1.5) == Guards::Verdict::pass,
         "a refused volume leaves no trace");
}

// ---- ideal gas: p(V) ~ V^N exp(-beta P V) ----

class NoEnergy : public EnergyModel {
 public:
  double recompute() override { return 0.0; }
  double try_move(int, const Vec3&) override { return 0.0; }
  double try_volume(const Box&, const std::vector<Vec3>&) override { return 0.0; }
  void accept() override {}
  void reject() override {}
};

void test_ideal_gas_at_a_pressure() {
  const int n = 5;
  const double kt = boltzmann * 300.0, pressure = kt / 30.0;
  NoEnergy model;
  const std::vector<Vec3> start(n);
  Guards guards(start, std::vector<int>(n, 0), cube(5.0), {0.0}, 0.0);
  ChainState state = start_chain(start, cube(5.0), pressure, model);
  MetropolisSettings settings;
  settings.cycles = 400000;
  settings.equilibrate = 5000;
  settings.volume.on = true;
  BlockAverage volume(settings.cycles), square(settings.cycles);
  const MetropolisResult result =
      run_metropolis(settings, state, guards, model, {6}, [&](std::int64_t cycle) {
        const double v = state.box.volume();
        if (cycle > 0) volume.add(v), square.add(v * v);
        return true;
      });
  const double mean = (n + 1) * kt / pressure;  // of a gamma distribution of shape N+1 and scale kT/P
  expect_near(volume.mean(), mean, 4.0 * volume.standard_error(), "mean volume of an ideal gas");
  expect(volume.standard_error() < 0.01 * mean, "the mean volume is well known");
  expect_near(square.mean(), mean * mean * (n + 2) / (n + 1), 4.0 * square.standard_error(),
              "mean square of the volume");
  expect_near(result.volume_equilibration.acceptance(), 0.45, 0.15, "volume acceptance while tuning");
  expect_near(static_cast<double>(result.volume_production.attempted) / settings.cycles, 1.0, 0.01,
              "one volume move a cycle");
  expect_near(static_cast<double>(result.production.attempted) / settings.cycles, n, 0.01, "N moves a cycle");
}

void test_nested_ideal_gas() {
  const int n = 3;
  const double high = 100.0, pressure = 1e-3;
  NoEnergy model;
  const std::vector<Vec3> start(n);
  Guards guards(start, std::vector<int>(n, 0), cube(5.0), {0.0}, 0.0);
  ChainState state = start_chain(start, cube(5.0), pressure, model);
  NestedSettings settings;
  settings.stage = 50000;
  settings.cycles = 10 * settings.stage;
  settings.tune = true;
  settings.volume = {true, 0.5, 1e-3, high, 0.0};
  const NestedResult result = run_nested(
      settings, state, guards, model, {7}, [](const Stage&, std::int64_t, const std::vector<double>&) {},
      [](std::int64_t) { return true; });
  double cap = pressure * high;  // eV per particle: X(H <= cap) ~ cap^(N+1)
  for (const Stage& stage : result.stages) {
    expect_near(std::pow(stage.next_cap / cap, n + 1), 0.5, 0.03,
                "volume kept by stage " + std::to_string(stage.number));
    cap = stage.next_cap;
  }
  expect(state.volume_counts.out_of_range > 100, "the volume guard is met");
}

void test_guarded_range() {
  NoEnergy model;
  const std::vector<Vec3> start(4);
  Guards guards(start, std::vector<int>(4, 0), cube(5.0), {0.0}, 0.0);
  ChainState state = start_chain(start, cube(5.0), 0.0, model);
  VolumeMoves volume;
  volume.on = true, volume.dlnv = 0.3, volume.low = 25.0, volume.high = 40.0, volume.narrowest = 4.8;
  for (int k = 0; k < 2000; ++k) {
    attempt_move(state, guards, model, {8}, 0.3, volume, CapRule{});
    const double v = state.volume_per_particle();
    if (!(v >= 25.0 && v <= 40.0 && state.box.lx >= 4.8)) {
      expect(false, "the chain left the guarded range");
      return;
    }
  }
  const MoveCounts& counts = state.volume_counts;
  expect(counts.out_of_range > 20 && counts.narrow > 20, "both limits are met");
  expect(counts.out_of_range + counts.narrow + counts.accepted + counts.refused == counts.attempted,
         "every move is counted once");
}

void test_block_average() {
  BlockAverage average(20);
  for (int k = 0; k < 20; ++k) average.add(k / 2);
  expect_near(average.mean(), 4.5, 1e-12, "mean of blocks");
  expect_near(average.standard_error(), std::sqrt(82.5 / 90.0), 1e-12, "standard error of ten blocks");
  BlockAverage unfinished(20);
  unfinished.add(1.0);
  expect(std::isnan(unfinished.standard_error()), "an unfinished series has no error");
}

}  // namespace

int main() {
  test_cells(cube(15.0), "cells of a cube");
  test_cells(tilted_box(18.0), "cells of a tilted box");
  test_where_cells_pay();
  test_guards_with_cells(cube(24.0), 0.0, "guards of a cube");
  test_guards_with_cells(tilted_box(24.0), 0.0, "guards of a tilted box");
  test_guards_with_cells(cube(20.0), 3.0, "connected box");
  test_volume_guards();
  test_ideal_gas_at_a_pressure();
  test_nested_ideal_gas();
  test_guarded_range();
  test_block_average();
  return ended();
}
