// A translation as its file holds it: what rounding, compression and colour profiles left of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "image/codec.h"
#include "infer/generator_runner.h"
#include "infer/page_reader.h"

namespace torsor {

struct DeliveredOutput {
  std::string bytes;   // of the file
  std::string format;  // "png", "jpg"
  at::Tensor values;   // [1,C',H,W] float32, read from the file as the target domain's networks see it
};

/// Encodes what the generator made of a page, [C',H,W], in the format of `out`, and reads it again. Pixels
/// without data, which the file marks, are read as the generator made them; alpha is passed over.
/// Throws Error naming `out` when the format cannot hold it.
DeliveredOutput deliver(const GeneratorRunner& runner, const at::Tensor& made, const InputPage& page,
                        const std::filesystem::path& out, const EncodeOptions& encode);

/// [1,C',H,W] of an image that `runner` made of `input`: stored samples back to what networks see.
at::Tensor delivered_values(const GeneratorRunner& runner, const Image& image, std::int64_t channels,
                            const ValueRange& input);

}  // namespace torsor
