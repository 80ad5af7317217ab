// Named random streams. Every consumer draws from its own stream, derived from the one seed and its name, so
// that adding a consumer or a thread never moves another's numbers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <random>
#include <string>
#include <string_view>

#include "core/json.h"

namespace torsor {

/// A seed for the stream `name`, and for one of its items when keys (epoch, index, ...) are given.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view name,
                          std::initializer_list<std::uint64_t> keys = {});

/// One stream. The engine is the standard's mt19937_64, whose bits are fixed by the standard; the
/// distributions are ours, since the standard's differ between libraries.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : engine_(seed) {}
  double uniform();                         // [0, 1), 53 bits
  double uniform(double low, double high);  // [low, high)
  std::int64_t index(std::int64_t n);       // 0 .. n-1, unbiased; n >= 1
  bool coin(double p = 0.5) { return uniform() < p; }
  double normal();                           // N(0, 1), Box-Muller, one value a call
  std::string state() const;                 // text; restores bit for bit
  void set_state(const std::string& state);  // throws Error on text that is not a state

 private:
  std::mt19937_64 engine_;
};

/// Streams by name, made at first use from (seed, name). Saved and restored whole.
class RngStreams {
 public:
  explicit RngStreams(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t seed() const { return seed_; }
  Rng& operator[](const std::string& name);
  Json save() const;
  void load(const Json& saved);  // throws Error on what save() did not write

 private:
  std::uint64_t seed_;
  std::map<std::string, Rng> streams_;
};

}  // namespace torsor
