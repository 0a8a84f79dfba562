// Reads potential files, damaged ones too, and evaluates what can be read by every kernel: for sanitizers.
//   read_potentials            each beginning of a small file; only the whole is read
//   read_potentials FILE       many files one after the other, each after a line with its length in bytes
// An input that is neither read nor refused by a PotentialError of one line ends the program with its number.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "mc/local_choice.hpp"
#include "potential_file/read.hpp"
#include "site_batch.hpp"

using namespace alnn;

namespace {

const char* const sample = R"({"format": "alnn-potential", "version": 1,
 "units": {"length": "angstrom", "energy": "eV"}, "species": ["W"],
 "descriptors": {"W": {"functions": [
  {"type": "G2", "neighbors": ["W"], "eta": 0.01, "r_s": 0.5, "cutoff": 3.5},
  {"type": "G5", "neighbors": ["W", "W"], "eta": 0.02, "lambda": -1, "zeta": 3, "cutoff": 3.5}]}},
 "scaling": {"W": {"mean": [0.5, 0.1], "std": [0.5, 0.0], "min": [0, 0], "max": [9, 9]}},
 "members": [{"W": {"layers": [{"weights": [[0.1, 0.2]], "bias": [0.3], "activation": "linear"}]}}],
 "energy": {"scale": 0.5, "shift": {"W": -0.1}}, "training": {"grade": {"W": [[0.1], [0.2, 0.3], [1, 2, 3]]}}})";

struct Counts {
  long read = 0, refused = 0;
};

std::vector<Vec3> some_positions() {
  std::vector<Vec3> positions;
  for (int i = 0; i < 12; ++i)
    positions.push_back({2.4 * (i % 3) + 0.1 * std::sin(i), 2.5 * (i / 3 % 2) + 0.1 * std::cos(3.0 * i),
                         2.6 * (i / 6) + 0.1 * std::sin(7.0 * i)});
  return positions;
}

void evaluate_sites(const std::shared_ptr<const Plan>& plan, const std::vector<Vec3>& positions) {
  SiteBatch batch(plan);
  batch.count_extrapolations(true);
  for (int s = 0; s < plan->n_species(); ++s) {
    batch.start(s);
    for (std::size_t i = 0; i < positions.size() && !batch.full(); ++i) {
      batch.add_site();
      for (std::size_t j = 0; j < positions.size(); ++j) {
        const Vec3 &a = positions[i], &b = positions[j];
        const int species = static_cast<int>(j) % plan->n_species();
        if (i != j) batch.add_neighbor(b.x - a.x, b.y - a.y, b.z - a.z, species, static_cast<int>(j));
      }
    }
    batch.keep_grade(plan->potential.has_grade());
    batch.evaluate(true);
    if (plan->potential.has_grade() && batch.size() > 0) batch.grade(batch.size() - 1);
    batch.member_gradients(plan->potential.n_members() - 1);
  }
}

void move_particles(const std::shared_ptr<const Plan>& plan, std::vector<Vec3> positions) {
  const double edge = std::max(12.0, 2.5 * plan->potential.cutoff);
  const Box box{edge, edge, edge, 0.0, 0.0, 0.0, {true, true, true}};
  if (!why_not_local(*plan, box).empty() || plan->potential.cutoff > 10.0) return;
  std::vector<int> species;
  for (std::size_t i = 0; i < positions.size(); ++i)
    species.push_back(static_cast<int>(i) % plan->n_species());
  const auto energy = local_energy(plan, positions, species, box);
  energy->recompute();
  for (int step = 0; step < 6; ++step) {
    Vec3 there = positions[step];
    there.x += 0.8 * step - 2.0;
    energy->try_move(step, there);
    if (step % 2)
      energy->accept();
    else
      energy->reject();
  }
}

void read_one(const std::string& text, bool deep, Counts& counts) {
  try {
    const Potential potential = parse_potential(text, "(memory)");
    ++counts.read;
    if (!deep) return;
    int kernels = 0;
    const Kernel* const* all = available_kernels(&kernels);
    for (int k = 0; k < kernels; ++k) {
      const auto plan = std::make_shared<const Plan>(potential, *all[k]);
      evaluate_sites(plan, some_positions());
      move_particles(plan, some_positions());
    }
  } catch (const PotentialError& error) {
    const std::string message = error.what();
    if (message.empty() || message.find('\n') != std::string::npos || message.size() > 2000)
      throw std::runtime_error("a message that is not one line: " + message);
    ++counts.refused;
  }
}

int read_beginnings() {
  const std::string whole = sample;
  Counts counts;
  for (std::size_t length = 0; length <= whole.size(); ++length)
    read_one(whole.substr(0, length), length == whole.size(), counts);
  std::printf("%ld read, %ld refused\n", counts.read, counts.refused);
  return counts.read == 1 && counts.refused == static_cast<long>(whole.size()) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int read_many(const char* name) {
  std::ifstream stream(name, std::ios::binary);
  Counts counts;
  std::string line;
  for (long number = 0; std::getline(stream, line); ++number) {
    std::string text(std::stoul(line), '\0');
    stream.read(&text[0], static_cast<std::streamsize>(text.size()));
    std::cerr << number << '\n';  // the last line says at which input a sanitizer stopped
    read_one(text, true, counts);
  }
  std::printf("%ld read, %ld refused\n", counts.read, counts.refused);
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) { return argc > 1 ? read_many(argv[1]) : read_beginnings(); }
