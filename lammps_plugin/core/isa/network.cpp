// Networks: lanes are sites.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

namespace {

template <int B>
inline void dense_block(const double* matrix, int n_in, int stride, const double* x, const double* start,
                        double* out) {
  vd acc[B];
  for (int o = 0; o < B; ++o) acc[o] = start ? broadcast(start[o]) : vd{};
  for (int i = 0; i < n_in; ++i) {
    const vd xi = load(x + i * W);
    for (int o = 0; o < B; ++o) acc[o] += xi * matrix[i * stride + o];
  }
  for (int o = 0; o < B; ++o) store(out + o * W, acc[o]);
}

// out[o] = start[o] + sum_i matrix[i][o] x[i]
void dense(const double* matrix, int n_in, int n_out, const double* x, const double* start, double* out) {
  for (int o = 0; o < n_out;) {
    const int chunks = (n_out - o + 9) / 10;
    const int size = (n_out - o + chunks - 1) / chunks;
    const double* m = matrix + o;
    const double* b = start ? start + o : nullptr;
    double* y = out + o * W;
    switch (size) {
      case 1:
        dense_block<1>(m, n_in, n_out, x, b, y);
        break;
      case 2:
        dense_block<2>(m, n_in, n_out, x, b, y);
        break;
      case 3:
        dense_block<3>(m, n_in, n_out, x, b, y);
        break;
      case 4:
        dense_block<4>(m, n_in, n_out, x, b, y);
        break;
      case 5:
        dense_block<5>(m, n_in, n_out, x, b, y);
        break;
      case 6:
        dense_block<6>(m, n_in, n_out, x, b, y);
        break;
      case 7:
        dense_block<7>(m, n_in, n_out, x, b, y);
        break;
      case 8:
        dense_block<8>(m, n_in, n_out, x, b, y);
        break;
      case 9:
        dense_block<9>(m, n_in, n_out, x, b, y);
        break;
      default:
        dense_block<10>(m, n_in, n_out, x, b, y);
        break;
    }
    o += size;
  }
}

}  // namespace

void network(const ElementView& e, BatchView& batch, bool gradients) {
  const int block = e.widest_layer * W;
  double* values = batch.scratch;                     // two layers, in turn
  double* slopes = values + 2 * block;                // [layer]
  double* back = slopes + e.deepest_network * block;  // two layers, in turn
  const double share = e.energy_scale / e.n_members;
  if (gradients)
    for (int k = 0; k < e.n_functions * W; k += W) store(batch.dX + k, vd{});
  for (int m = 0; m < e.n_members; ++m) {
    const MemberView& member = e.members[m];
    const double* x = batch.X;
    for (int l = 0; l < member.n_layers; ++l) {
      const LayerView& layer = member.layers[l];
      double* y = values + (l % 2) * block;
      if (batch.hidden && m == 0 && l + 1 == member.n_layers)
        for (int k = 0; k < layer.n_in * W; k += W) store(batch.hidden + k, load(x + k));
      dense(layer.in_major, layer.n_in, layer.n_out, x, layer.bias, y);
      activate_layer(layer.activation, layer.n_out, y, gradients ? slopes + l * block : nullptr);
      x = y;
    }
    store(batch.energy + m * W, load(x) * e.energy_scale + e.shift);
    if (!gradients) continue;
    double* delta = back;
    store(delta, broadcast(share));
    for (int l = member.n_layers - 1; l >= 0; --l) {
      const LayerView& layer = member.layers[l];
      for (int o = 0; o < layer.n_out; ++o)
        store(delta + o * W, load(delta + o * W) * load(slopes + l * block + o * W));
      double* next = delta == back ? back + block : back;
      dense(layer.out_major, layer.n_out, layer.n_in, delta, nullptr, next);
      delta = next;
    }
    for (int k = 0; k < e.n_functions * W; k += W) store(batch.dX + k, load(batch.dX + k) + load(delta + k));
  }
}

}  // namespace alnn::ALNN_ISA
