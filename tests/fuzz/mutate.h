// Seeded damage: small changes of the kinds that reach deep into a reader.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace torsor::testing {

/// The same draws on every machine: the engine's bits are fixed by the standard, the standard's distributions
/// are not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

/// One to four changes: bits, bytes, small and huge numbers of every width and byte order, pieces removed,
/// repeated, moved, and now and then a cut. Half of the time all of them lie within the first 128 bytes,
/// where headers are.
std::string mutate_bytes(std::string bytes, Random& random);

/// One to three changes to the words, numbers and marks of a text (JSON, options, a header), so that most
/// results still parse: replaced by each other or by an awkward value, removed, repeated.
std::string mutate_text(std::string_view text, Random& random);

/// One to three values of a JSON text replaced by awkward ones or by each other, removed or repeated: the
/// result is JSON. What is none goes to mutate_text.
std::string mutate_json(const std::string& text, Random& random);

}  // namespace torsor::testing
