#include "mc/cluster_graph.hpp"

#include <algorithm>

namespace alnn {

ClusterGraph::ClusterGraph(int n)
    : n_(n),
      words_((n + 63) / 64),
      adjacency_(static_cast<std::size_t>(words_) * n, 0),
      new_row_(words_, 0),
      visited_(words_, 0) {
  stack_.reserve(n);
}

bool ClusterGraph::stays_connected(int i) {
  const auto old_row = row(i);
  std::uint64_t lost = 0, any = 0;
  for (long w = 0; w < words_; ++w) {
    lost |= old_row[w] & ~new_row_[w];
    any |= new_row_[w];
  }
  if (any == 0) return n_ == 1;
  return lost == 0 || reaches_old_neighbors(i);
}

// Walks from the particles of the new row; particle i itself counts as visited so that no path leads through
// it.
bool ClusterGraph::reaches_old_neighbors(int i) {
  const auto old_row = row(i);
  stack_.clear();
  for (long w = 0; w < words_; ++w) {
    visited_[w] = new_row_[w];
    for (std::uint64_t bits = new_row_[w]; bits; bits &= bits - 1)
      stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
  }
  visited_[i / 64] |= std::uint64_t{1} << (i % 64);
  while (!stack_.empty()) {
    const auto next = row(stack_.back());
    stack_.pop_back();
    std::uint64_t missing = 0;
    for (long w = 0; w < words_; ++w) {
      for (std::uint64_t bits = next[w] & ~visited_[w]; bits; bits &= bits - 1)
        stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
      visited_[w] |= next[w];
      missing |= old_row[w] & ~visited_[w];
    }
    if (missing == 0) return true;
  }
  return false;
}

bool ClusterGraph::takes_up() const {
  return n_ == 0 || std::any_of(new_row_.begin(), new_row_.end(), [](std::uint64_t w) { return w != 0; });
}

bool ClusterGraph::can_spare(int i) {
  const auto old_row = row(i);
  int neighbors = 0, first = -1;
  for (long w = 0; w < words_; ++w) {
    if (old_row[w] && first < 0) first = static_cast<int>(64 * w) + __builtin_ctzll(old_row[w]);
    neighbors += __builtin_popcountll(old_row[w]);
  }
  if (neighbors < 2) return true;
  clear_new_row();
  add_to_new_row(first);
  return reaches_old_neighbors(i);
}

void ClusterGraph::add() {
  if (n_ == 64 * words_) widen();
  adjacency_.resize(adjacency_.size() + words_, 0);
  accept(n_++);
}

void ClusterGraph::remove(int i) {
  const int last = n_ - 1;
  const std::vector<std::uint64_t> moved(row(last), row(last) + words_);
  clear_new_row();
  accept(last);
  if (i != last) {
    new_row_ = moved;
    new_row_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    accept(i);
  }
  adjacency_.resize(adjacency_.size() - words_);
  --n_;
}

// One word more for each row.
void ClusterGraph::widen() {
  std::vector<std::uint64_t> wider(static_cast<std::size_t>(words_ + 1) * n_, 0);
  for (int i = 0; i < n_; ++i) std::copy_n(row(i), words_, &wider[static_cast<std::size_t>(words_ + 1) * i]);
  adjacency_ = std::move(wider);
  ++words_;
  new_row_.resize(words_, 0);
  visited_.resize(words_, 0);
}

void ClusterGraph::accept(int i) {
  const auto own = row(i);
  const std::uint64_t bit = std::uint64_t{1} << (i % 64);
  for (long w = 0; w < words_; ++w) {
    for (std::uint64_t changed = own[w] ^ new_row_[w]; changed; changed &= changed - 1)
      row(static_cast<int>(64 * w) + __builtin_ctzll(changed))[i / 64] ^= bit;
    own[w] = new_row_[w];
  }
}

void ClusterGraph::keep_row(int i) { std::copy(new_row_.begin(), new_row_.end(), row(i)); }

int ClusterGraph::unreached_particle() {
  if (n_ == 0) return -1;
  std::fill(visited_.begin(), visited_.end(), 0);
  visited_[0] = 1;
  stack_.assign(1, 0);
  while (!stack_.empty()) {
    const auto next = row(stack_.back());
    stack_.pop_back();
    for (long w = 0; w < words_; ++w) {
      for (std::uint64_t bits = next[w] & ~visited_[w]; bits; bits &= bits - 1)
        stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
      visited_[w] |= next[w];
    }
  }
  for (int i = 0; i < n_; ++i)
    if (!(visited_[i / 64] >> (i % 64) & 1)) return i;
  return -1;
}

}  // namespace alnn
