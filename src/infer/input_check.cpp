#include "infer/input_check.h"

#include <fmt/format.h>

#include "core/text.h"

namespace torsor {

std::string InputCheck::Side::text() const {
  return name.empty() ? "domain " + letter : fmt::format("domain {} ({})", letter, printable(name));
}

std::optional<Recogniser> recogniser_of(const LoadedGenerator& loaded) {
  if (!loaded.direction.is_known()) return std::nullopt;
  const DomainInfo& own = loaded.info.domain(loaded.direction.from);
  const DomainInfo& other = loaded.info.domain(loaded.direction.to);
  if (!Recogniser::possible(own.fingerprint, other.fingerprint)) return std::nullopt;
  return Recogniser(own.fingerprint, other.fingerprint, loaded.source);
}

InputCheck::InputCheck(const LoadedGenerator& loaded)
    : recogniser_(recogniser_of(loaded)), direction_(loaded.direction) {
  if (!direction_.is_known()) return;
  const DomainInfo& own = loaded.info.domain(direction_.from);
  const DomainInfo& other = loaded.info.domain(direction_.to);
  own_ = {direction_.from, own.name};
  other_ = {direction_.to, other.name};
  has_opposite_ = find_translator(loaded.info.networks, direction_.opposite()) != nullptr;
}

void InputCheck::add(const std::string& name, const Image& image) {
  if (!recogniser_) return;
  ++seen_;
  const Likeness likeness = recogniser_->judge(image);
  if (likeness == Likeness::own) return;
  ++(likeness == Likeness::other ? like_other_ : like_neither_);
  if (first_.empty()) first_ = name;
}

std::string InputCheck::warning() const {
  if (like_other_ + like_neither_ < alarms_beyond_chance(seen_)) return "";
  const bool one = seen_ == 1;
  const auto count = [&](std::int64_t n) { return one ? first_ : fmt::format("{} of {} images", n, seen_); };
  const std::string example = one ? "" : fmt::format(" (the first: {})", first_);
  if (like_neither_ > like_other_)
    return fmt::format("{} {} unlike the images that this generator was trained on, {}{}: check {}",
                       count(like_neither_ + like_other_), one ? "is" : "are", own_.text(), example,
                       one ? "its translation" : "their translations");
  const std::string advice = has_opposite_
                                 ? fmt::format("is --direction {} meant?", direction_.opposite().name())
                                 : "check what they are; the model translates in no other direction";
  return fmt::format("{} {} like {}{}, but {} translates {}{}: {}", count(like_other_),
                     one ? "looks" : "look", other_.text(),
                     like_neither_ > 0 ? fmt::format(" and {} like neither domain", like_neither_) : "",
                     direction_.name(), own_.text(), example, advice);
}

}  // namespace torsor
