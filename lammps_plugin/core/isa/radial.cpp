// Distances and radial functions.
#include "isa/cutoff.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

void distances(const ElementView& e, SiteView& s) {
  for (int j = 0; j < s.padded; j += W) {
    const vd x = load(s.x + j), y = load(s.y + j), z = load(s.z + j);
    const vd r2 = x * x + y * y + z * z;
    const vd r = square_root(r2);
    const vd inverse_r = 1.0 / r;
    store(s.r2 + j, r2);
    store(s.inverse_r + j, inverse_r);
    store(s.ux + j, x * inverse_r);
    store(s.uy + j, y * inverse_r);
    store(s.uz + j, z * inverse_r);
    for (int c = 0; c < e.n_cutoffs; ++c) {
      vd fc, dfc;
      cutoff_function(r, inverse_r, e.cutoffs[c], fc, dfc);
      store(s.fc + c * s.padded + j, fc);
      store(s.dfc + c * s.padded + j, dfc);
    }
  }
}

namespace {

// One neighbour's part of G2: value and derivative / r.
inline void radial_value(const ElementView& e, int k, double r, double inverse_r, double fc, double dfc,
                         vd& u, vd& d) {
  const vd eta = load(e.eta + k), r_s = load(e.r_s + k);
  const vd difference = r - r_s;
  const vd g = exponential(-eta * (difference * difference));
  u = g * fc;
  d = g * (dfc - 2.0 * eta * (1.0 - r_s * inverse_r) * fc);
}

}  // namespace

void radial_block(const ElementView& e, const RadialBlock& block, SiteView& s, bool gradients) {
  const double* fc = s.fc + block.cutoff * s.padded;
  const double* dfc = s.dfc + block.cutoff * s.padded;
  for (int v = 0; v < block.vectors; ++v) {
    const int k = block.offset + v * W;
    vd total{};
    for (int j = s.begin[block.species]; j < s.begin[block.species + 1]; ++j) {
      vd u, d;
      radial_value(e, k, s.r2[j] * s.inverse_r[j], s.inverse_r[j], fc[j], dfc[j], u, d);
      total += u;
      if (gradients) store(s.D + j * e.row + k, d);
    }
    store(s.G + k, total);
  }
}

void radial_gradients(const ElementView& e, SiteView& s) {
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    for (int j = s.begin[block.species]; j < s.begin[block.species + 1]; ++j) {
      vd t{};
      for (int k = block.offset; k < block.offset + block.vectors * W; k += W)
        t += load(s.weight + k) * load(s.D + j * e.row + k);
      s.radial[j] += sum(t);
    }
  }
}

namespace {

// visit(j, value, (d/dr) / r) for neighbours j, j + 1, ..; both are 0 beyond those of the species.
template <class Visit>
inline void each_compact(const CompactRadial& f, const SiteView& s, const Visit& visit) {
  const int end = s.begin[f.species + 1];
  for (int j = s.begin[f.species]; j < end; j += W) {
    const vd inverse_r = load_anywhere(s.inverse_r + j), r = load_anywhere(s.r2 + j) * inverse_r;
    vd value, slope;
    bump(f.form, f.support.asymmetric, f.support.lower, f.support.cutoff, r, value, slope);
    slope = slope * inverse_r;
    for (int i = end - j; i < W; ++i) value[i] = slope[i] = 0.0;
    visit(j, value, slope);
  }
}

}  // namespace

void compact_radial_functions(const ElementView& e, SiteView& s) {
  for (int i = 0; i < e.n_compact; ++i) {
    vd total{};
    each_compact(e.compact[i], s, [&](int, vd value, vd) { total += value; });
    s.G[e.compact[i].place] = sum(total);
  }
}

void compact_radial_gradients(const ElementView& e, SiteView& s) {
  for (int i = 0; i < e.n_compact; ++i)
    if (const double weight = s.weight[e.compact[i].place]; weight != 0.0)
      each_compact(e.compact[i], s, [&](int j, vd, vd slope) { add_anywhere(s.radial + j, weight * slope); });
}

}  // namespace alnn::ALNN_ISA
