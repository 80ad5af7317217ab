// Images that need much memory or time: their cost is announced beforehand, and an image that does not fit is
// translated in bands where that yields the same result.
#pragma once

#include <functional>
#include <optional>

#include "core/machine.h"
#include "infer/generator_runner.h"

namespace torsor {

/// Translates [N,C,H,W] as runner.translate() does, in bands of about `rows` rows, each with the receptive
/// field of its pixels around it: `reach` as reach_of() says. The same values but for rounding, where a
/// convolution adds up in another order for another size.
at::Tensor translate_by_bands(const GeneratorRunner& runner, const at::Tensor& images, std::int64_t reach,
                              std::int64_t rows);

struct TranslationCost {
  double bytes = 0, seconds = 0;
};

class LargeImages {
 public:
  using Room = std::function<MemoryRoom()>;
  using Say = std::function<void(const std::string&)>;
  /// `room` returns the available memory; HUGE_VAL bytes to translate at any cost. The runner must outlive
  /// it. One thread.
  explicit LargeImages(
      const GeneratorRunner& runner, Room room = [] { return memory_room(); });

  /// As runner.translate(). Reports to `say` the cost of an image that needs more than a gigabyte or ten
  /// seconds, and whether it is translated in bands. Throws Error, naming `name` and what would fit, when the
  /// memory does not hold it.
  at::Tensor translate(const at::Tensor& images, const std::string& name, const Say& say);

  /// Whether the memory holds the translation of such images as a whole.
  bool fits(const at::Tensor& images);

  /// Of a batch of that size, extrapolated from small images.
  TranslationCost cost(std::int64_t batch, std::int64_t height, std::int64_t width);

 private:
  struct Measured {
    double pixels = 0;
    TranslationCost cost;
  };
  std::int64_t rows_that_fit(const at::Tensor& images, double bytes);
  MemoryRoom room_now() const;
  [[noreturn]] void refuse(const at::Tensor& images, const std::string& name, const MemoryRoom& room);

  const GeneratorRunner& runner_;
  Room room_;
  std::optional<std::int64_t> reach_;
  std::optional<std::pair<Measured, Measured>> measured_;  // once it was needed
};

}  // namespace torsor
