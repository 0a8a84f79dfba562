// One neighbour at a time, for Monte Carlo.
#include "isa/angular.hpp"
#include "isa/cutoff.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

template <int NV>
void block_row(const ElementView& e, const AngularBlock& block, double r2, double fc, double* row) {
  vd g[NV];
  const double q = NV > 1 && block.delta >= 0.0 ? exponential(broadcast(-block.delta * r2))[0] : 1.0;
  exponentials<NV>(e, block, r2, q, g);
  for (int v = 0; v < NV; ++v) store(row + v * W, g[v] * fc);
}

using BlockRow = void (*)(const ElementView&, const AngularBlock&, double, double, double*);
constexpr BlockRow row_table[max_vectors] = {block_row<1>, block_row<2>, block_row<3>, block_row<4>,
                                             block_row<5>, block_row<6>, block_row<7>, block_row<8>};

}  // namespace

void pair_row(const ElementView& e, int species, double r2, double* row) {
  const double r = __builtin_sqrt(r2), inverse_r = 1.0 / r;
  int last = -1;
  double fc = 0.0;
  const auto cutoff_value = [&](int index) {
    if (index == last) return;
    last = index;
    vd value, slope;
    cutoff_function(broadcast(r), broadcast(inverse_r), e.cutoffs[index], value, slope);
    fc = value[0];
  };
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    if (block.species != species) continue;
    cutoff_value(block.cutoff);
    for (int k = block.offset; k < block.offset + block.vectors * W; k += W) {
      const vd difference = r - load(e.r_s + k);
      store(row + k, exponential(-load(e.eta + k) * (difference * difference)) * fc);
    }
  }
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (block.species_a != species && block.species_b != species) continue;
    cutoff_value(block.cutoff);
    row_table[block.vectors - 1](e, block, r2, fc, row + block.offset);
  }
}

namespace {

template <int NV, int BITS>
void add_triplets(const ElementView& e, const AngularBlock& block, int species, const double* unit,
                  const double* row, const ShellView& shell, double sign, double* G) {
  const int other = species == block.species_a ? block.species_b : block.species_a;
  const AnglePower<BITS> angle(e, block.offset);
  vd acc[NV];
  for (int v = 0; v < NV; ++v) acc[v] = vd{};
  for (int l = 0; l < shell.n; ++l) {
    if (shell.species[l] != other) continue;
    const double* Ul = shell.rows + l * shell.stride + block.offset;
    vd base;
    const vd p = angle.power(unit[0] * shell.ux[l] + unit[1] * shell.uy[l] + unit[2] * shell.uz[l], base);
    const vd whole = p * base;
    for (int v = 0; v < NV; ++v) acc[v] += whole * load(Ul + v * W);
  }
  for (int v = 0; v < NV; ++v) {
    double* g = G + block.offset + v * W;
    store(g, load(g) + sign * load(row + block.offset + v * W) * acc[v]);
  }
}

using TripletSum = void (*)(const ElementView&, const AngularBlock&, int, const double*, const double*,
                            const ShellView&, double, double*);
#define ALNN_TRIPLETS(NV) {add_triplets<NV, 1>, add_triplets<NV, 2>, add_triplets<NV, 3>, add_triplets<NV, 4>}
constexpr TripletSum triplet_table[max_vectors][max_bits] = {
    ALNN_TRIPLETS(1), ALNN_TRIPLETS(2), ALNN_TRIPLETS(3), ALNN_TRIPLETS(4),
    ALNN_TRIPLETS(5), ALNN_TRIPLETS(6), ALNN_TRIPLETS(7), ALNN_TRIPLETS(8)};

}  // namespace

void add_neighbor(const ElementView& e, int species, const double* unit, const double* row,
                  const ShellView& shell, double sign, double* G) {
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    if (block.species != species) continue;
    for (int k = block.offset; k < block.offset + block.vectors * W; k += W)
      store(G + k, load(G + k) + sign * load(row + k));
  }
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (block.species_a != species && block.species_b != species) continue;
    triplet_table[block.vectors - 1][block.bits - 1](e, block, species, unit, row, shell, sign, G);
  }
}

}  // namespace alnn::ALNN_ISA
