// Angular functions as sums over pairs of neighbours: lanes are triplets of one first neighbour.
#include "isa/cutoff.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

inline vd whole_power(vd base, int exponent) {
  vd p = broadcast(1.0);
  for (; exponent > 0; exponent >>= 1, base = base * base)
    if (exponent & 1) p = p * base;
  return p;
}

// (1 + lambda c)^(zeta - 1), and 1 + lambda c.
inline vd power(const Angle& angle, vd cosine, vd& base) {
  base = 1.0 + angle.lambda * cosine;
  base = select(base > vd{}, base, vd{});  // rounding
  if (angle.exponent >= 0) return whole_power(base, angle.exponent);
  vd p{};
  for (int i = 0; i < W; ++i) p[i] = __builtin_pow(base[i], angle.zeta - 1.0);
  return p;
}

// A leg's function and its derivative / r.
inline void leg_value(const TripletBlock& block, const Leg& leg, vd r, vd inverse_r, vd fc, vd dfc, vd& value,
                      vd& slope) {
  if (block.compact) {
    bump(block.form, leg.support.asymmetric, leg.support.lower, leg.support.cutoff, r, value, slope);
    slope = slope * inverse_r;
    return;
  }
  const vd x = r - leg.r_s;
  const vd g = exponential(x * x * -leg.eta);
  value = g * fc;
  slope = g * (dfc - 2.0 * leg.eta * (x * inverse_r) * fc);
}

void fill_legs(const TripletBlock& block, SiteView& s, int species) {
  for (int j = s.begin[species]; j < s.begin[species + 1]; j += W) {
    const vd inverse_r = load_anywhere(s.inverse_r + j), r = load_anywhere(s.r2 + j) * inverse_r;
    vd fc{}, dfc{};
    if (!block.compact) {
      fc = load_anywhere(s.fc + block.cutoff * s.padded + j);
      dfc = load_anywhere(s.dfc + block.cutoff * s.padded + j);
    }
    for (int i = 0; i < block.n; ++i) {
      vd value, slope;
      leg_value(block, block.legs[i], r, inverse_r, fc, dfc, value, slope);
      store_anywhere(s.legs + (block.row + i) * s.padded + j, value);
      store_anywhere(s.dlegs + (block.row + i) * s.padded + j, slope);
    }
  }
}

// Triplets of neighbour j with the neighbours l, l + 1, ... of which `lanes` count.
struct Triplets {
  int j, l, lanes;
  vd cosine, theta, minus_inverse_sine;  // the latter two of compact functions
  vd r, inverse_r, fc, dfc;              // of the third side
  Triplets(const ElementView& e, const TripletBlock& block, const SiteView& s, int j, int l, int end)
      : j(j), l(l), lanes(end - l) {
    cosine = s.ux[j] * load_anywhere(s.ux + l) + s.uy[j] * load_anywhere(s.uy + l) +
             s.uz[j] * load_anywhere(s.uz + l);
    if (block.compact) find_angle();
    if (!block.opposite) return;
    const vd x = load_anywhere(s.x + l) - s.x[j], y = load_anywhere(s.y + l) - s.y[j],
             z = load_anywhere(s.z + l) - s.z[j];
    r = square_root(x * x + y * y + z * z);
    inverse_r = 1.0 / r;
    if (!block.compact) cutoff_function(r, inverse_r, e.cutoffs[block.cutoff], fc, dfc);
  }
  // Atoms in line do not change the angle's factor: see core/reference_compact.cpp.
  void find_angle() {
    const vd one = broadcast(1.0), low = select(cosine < -one, -one, cosine);
    cosine = select(low > one, one, low);
    const vd sine = square_root((1.0 - cosine) * (1.0 + cosine));
    const vi bent = sine > vd{};
    minus_inverse_sine = select(bent, -1.0 / select(bent, sine, one), vd{});
    for (int i = 0; i < W; ++i) theta[i] = __builtin_acos(cosine[i]);
  }
  // An angle's factor and its derivative by the cosine.
  void factor(const TripletBlock& block, const Angle& angle, vd& value, vd& slope) const {
    if (block.compact) {
      bump(block.form, false, angle.left, angle.right, theta, value, slope);
      slope = slope * minus_inverse_sine;
      return;
    }
    vd base;
    const vd p = power(angle, cosine, base);
    value = p * base;
    slope = p * (angle.zeta * angle.lambda);
  }
  vd only(vd v) const {
    for (int i = lanes; i < W; ++i) v[i] = 0.0;
    return v;
  }
  void third(const TripletBlock& block, const Leg& leg, vd& value, vd& slope) const {
    value = broadcast(1.0), slope = vd{};
    if (block.opposite) leg_value(block, leg, r, inverse_r, fc, dfc, value, slope);
  }
};

// visit(triplets) for all of a block.
template <class Visit>
inline void each_vector(const ElementView& e, const TripletBlock& block, const SiteView& s, int j,
                        const Visit& visit) {
  const bool same = block.species_a == block.species_b;
  const int end = s.begin[block.species_b + 1];
  for (int l = same ? j + 1 : s.begin[block.species_b]; l < end; l += W)
    visit(Triplets(e, block, s, j, l, end));
}

void block_values(const ElementView& e, const TripletBlock& block, SiteView& s) {
  for (int i = 0; i < block.n; ++i)
    for (int a = 0; a < block.legs[i].n; ++a) s.G[block.legs[i].angles[a].place] = 0.0;
  for (int j = s.begin[block.species_a]; j < s.begin[block.species_a + 1]; ++j)
    each_vector(e, block, s, j, [&](const Triplets& t) {
      for (int i = 0; i < block.n; ++i) {
        const Leg& leg = block.legs[i];
        const double* U = s.legs + (block.row + i) * s.padded;
        vd third, slope;
        t.third(block, leg, third, slope);
        const vd legs = t.only(U[j] * load_anywhere(U + t.l) * third);
        for (int a = 0; a < leg.n; ++a) {
          vd value, by_cosine;
          t.factor(block, leg.angles[a], value, by_cosine);
          s.G[leg.angles[a].place] += sum(value * legs);
        }
      }
    });
}

// What the triplets of one neighbour j bring to it; see kernel.cpp for how a, b and radial make the gradient.
struct Pull {
  vd ax{}, ay{}, az{}, b{}, radial{}, px{}, py{}, pz{};
};

// dE by the legs of one kind: sums over its angles of weight (1 + lambda c)^zeta, and of its derivative by c.
inline void angle_sums(const TripletBlock& block, const Leg& leg, const double* weight, const Triplets& t,
                       vd& value, vd& slope) {
  value = slope = vd{};
  for (int a = 0; a < leg.n; ++a) {
    const Angle& angle = leg.angles[a];
    if (weight[angle.place] == 0.0) continue;
    vd factor, by_cosine;
    t.factor(block, angle, factor, by_cosine);
    value += weight[angle.place] * factor;
    slope += weight[angle.place] * by_cosine;
  }
}

inline void leg_gradients(const TripletBlock& block, int i, SiteView& s, const Triplets& t, Pull& mine) {
  const Leg& leg = block.legs[i];
  const int row = (block.row + i) * s.padded, j = t.j, l = t.l;
  const double *U = s.legs + row, *D = s.dlegs + row;
  vd third, third_slope, value, slope;
  t.third(block, leg, third, third_slope);
  angle_sums(block, leg, s.weight, t, value, slope);
  const vd ul = t.only(load_anywhere(U + l)), dl = t.only(load_anywhere(D + l));
  const vd q = slope * (U[j] * ul * third), qc = q * t.cosine;  // dE/d(cos theta)
  const vd pull = value * (U[j] * ul) * third_slope;            // (dE/dr_jl) / r_jl
  const vd xl = load_anywhere(s.ux + l), yl = load_anywhere(s.uy + l), zl = load_anywhere(s.uz + l);
  mine.ax += q * xl, mine.ay += q * yl, mine.az += q * zl, mine.b += qc;
  mine.radial += value * D[j] * ul * third + pull;
  mine.px += pull * load_anywhere(s.x + l), mine.py += pull * load_anywhere(s.y + l);
  mine.pz += pull * load_anywhere(s.z + l);
  // The third side draws l towards j: pull (x_l - x_j), whose second part counts as a does, times r_l.
  const vd back = pull * load_anywhere(s.r2 + l) * load_anywhere(s.inverse_r + l);
  add_anywhere(s.ax + l, q * s.ux[j] - back * s.x[j]);
  add_anywhere(s.ay + l, q * s.uy[j] - back * s.y[j]);
  add_anywhere(s.az + l, q * s.uz[j] - back * s.z[j]);
  add_anywhere(s.b + l, qc);
  add_anywhere(s.radial + l, value * U[j] * dl * third + pull);
}

void block_gradients(const ElementView& e, const TripletBlock& block, SiteView& s) {
  for (int j = s.begin[block.species_a]; j < s.begin[block.species_a + 1]; ++j) {
    Pull mine;
    each_vector(e, block, s, j, [&](const Triplets& t) {
      for (int i = 0; i < block.n; ++i) leg_gradients(block, i, s, t, mine);
    });
    const double r = s.r2[j] * s.inverse_r[j];
    s.ax[j] += sum(mine.ax) - r * sum(mine.px);
    s.ay[j] += sum(mine.ay) - r * sum(mine.py);
    s.az[j] += sum(mine.az) - r * sum(mine.pz);
    s.b[j] += sum(mine.b), s.radial[j] += sum(mine.radial);
  }
}

// Whether no function of a block counts: so are most when one function alone is differentiated.
inline bool is_idle(const TripletBlock& block, const double* weight) {
  for (int i = 0; i < block.n; ++i)
    for (int a = 0; a < block.legs[i].n; ++a)
      if (weight[block.legs[i].angles[a].place] != 0.0) return false;
  return true;
}

}  // namespace

void triplet_functions(const ElementView& e, SiteView& s) {
  for (int i = 0; i < e.n_triplets; ++i) {
    const TripletBlock& block = e.triplets[i];
    fill_legs(block, s,
              block.species_a);  // the lower species first: its last vector may reach into the other's
    if (block.species_b != block.species_a) fill_legs(block, s, block.species_b);
    block_values(e, block, s);
  }
}

void triplet_gradients(const ElementView& e, SiteView& s) {
  for (int i = 0; i < e.n_triplets; ++i)
    if (!is_idle(e.triplets[i], s.weight)) block_gradients(e, e.triplets[i], s);
}

}  // namespace alnn::ALNN_ISA
