#include "data/image_set.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace torsor {

PlainSet::PlainSet(std::shared_ptr<const ImageSource> source, std::string title, std::string identity,
                   std::int64_t looked_at)
    : source_(std::move(source)),
      title_(std::move(title)),
      identity_(std::move(identity)),
      looked_at_(looked_at),
      places_(static_cast<std::size_t>(source_->size())) {
  std::iota(places_.begin(), places_.end(), 0);
}

std::int64_t PlainSet::looked_at() const { return std::min(looked_at_, size()); }

void PlainSet::verify(BadFiles, LogSink&, const Look& look) {
  Notes notes;  // none: these images have 8 bits and no alpha
  for (std::int64_t i = 0; i < looked_at(); ++i) look(read(i), i, name(i), notes);
}

void PlainSet::keep(const std::vector<std::int64_t>& places) {
  std::vector<std::int64_t> kept;
  for (const std::int64_t i : places) kept.push_back(place(i));
  places_ = std::move(kept);
}

}  // namespace torsor
