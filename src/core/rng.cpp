#include "core/rng.h"

#include <cmath>
#include <numbers>
#include <sstream>

#include "core/error.h"

namespace torsor {

namespace {

// splitmix64's finaliser: a bijection that mixes all bits (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t derive_seed(std::uint64_t seed, std::string_view name,
                          std::initializer_list<std::uint64_t> keys) {
  std::uint64_t h = mix(seed);
  for (const char c : name) h = mix(h ^ static_cast<unsigned char>(c));
  for (const std::uint64_t key : keys) h = mix(h ^ mix(key));
  return h;
}

double Rng::uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

double Rng::uniform(double low, double high) { return low + (high - low) * uniform(); }

std::int64_t Rng::index(std::int64_t n) {
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t limit = std::uint64_t(-1) - std::uint64_t(-1) % range;  // rejects the uneven rest
  std::uint64_t draw = engine_();
  while (draw >= limit) draw = engine_();
  return static_cast<std::int64_t>(draw % range);
}

double Rng::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::string Rng::state() const {
  std::ostringstream out;
  out << engine_;
  return out.str();
}

void Rng::set_state(const std::string& state) {
  // The engine checks only that numbers are there, so anything may stand behind them or be out of its range;
  // what it makes of them has to read as it was written.
  std::istringstream in(state);
  std::mt19937_64 engine;
  in >> engine;
  std::ostringstream back;
  back << engine;
  if (!in || back.str() != state) fail("a stored random stream is damaged");
  engine_ = engine;
}

Rng& RngStreams::operator[](const std::string& name) {
  const auto found = streams_.find(name);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(name, Rng(derive_seed(seed_, name))).first->second;
}

Json RngStreams::save() const {
  Json out = Json::object();
  out["seed"] = seed_;
  for (const auto& [name, stream] : streams_) out["streams"][name] = stream.state();
  return out;
}

void RngStreams::load(const Json& saved) {
  try {
    // Seeds above 2^63 are of the unsigned kind, which json_count refuses.
    if (!saved.at("seed").is_number_integer())
      fail("the stored random streams are damaged: their seed is not a whole number");
    seed_ = saved.at("seed").get<std::uint64_t>();
    streams_.clear();
    if (!saved.contains("streams")) return;
    for (const auto& [name, state] : saved.at("streams").items())
      (*this)[name].set_state(state.get<std::string>());
  } catch (const Json::exception& error) {
    fail("the stored random streams are damaged: {}", json_reason(error));
  }
}

}  // namespace torsor
