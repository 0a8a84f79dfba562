// Counter-based random numbers: Philox 4x32 with ten rounds.
//
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC '11,
// doi:10.1145/2063384.2063405. A number is a pure function of (seed, stream, purpose, move), so a chain needs
// no generator state: every rank draws the same numbers, and a move can be repeated by its number.
#pragma once

#include <array>
#include <cstdint>

namespace alnn {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Four random 32-bit words of a counter under a key.
inline PhiloxCounter philox4x32_10(PhiloxCounter c, PhiloxKey k) {
  constexpr std::uint64_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
  constexpr std::uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = multiplier_0 * c[0], p1 = multiplier_1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += weyl_0;
    k[1] += weyl_1;
  }
  return c;
}

/// What a block of random words is drawn for; part of the counter, so that no two uses share numbers.
enum class Purpose : std::uint32_t { trial_move = 0, acceptance = 1, kind_of_move = 2 };

/// The random numbers of one chain. `stream` separates chains of the same seed.
struct RandomNumbers {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;

  /// Four 32-bit words for one purpose in one move.
  PhiloxCounter words(std::uint64_t move, Purpose purpose) const {
    const PhiloxCounter counter{static_cast<std::uint32_t>(move), static_cast<std::uint32_t>(move >> 32),
                                static_cast<std::uint32_t>(purpose), stream};
    return philox4x32_10(counter, {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  }
};

/// Uniform in the open interval (0, 1), symmetric about 1/2.
inline double uniform(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

/// Uniform in [0, 1) with 53 random bits.
inline double uniform53(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>((static_cast<std::uint64_t>(high) << 32 | low) >> 11) * 0x1p-53;
}

}  // namespace alnn
