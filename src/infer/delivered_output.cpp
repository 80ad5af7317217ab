#include "infer/delivered_output.h"

#include <ATen/ATen.h>

#include "image/convert.h"

namespace torsor {

at::Tensor delivered_values(const GeneratorRunner& runner, const Image& image, std::int64_t channels,
                            const ValueRange& input) {
  return to_tensor(with_channels(image, channels), runner.output_range(input, image.type)).unsqueeze(0);
}

DeliveredOutput deliver(const GeneratorRunner& runner, const at::Tensor& made, const InputPage& page,
                        const std::filesystem::path& out, const EncodeOptions& encode) {
  const std::string extension = out.extension().string().substr(1);
  const auto encoded = [&](const SetAside& aside) {
    const Image image = runner.picture(made, page.input, page.output.type);
    return encode_image(extension, finished(image, aside, page.output), encode, out.string());
  };
  DeliveredOutput result;
  result.bytes = encoded(page.input.aside);
  result.format = image_extension_of(result.bytes.substr(0, 64));
  SetAside unmarked = page.input.aside;
  unmarked.without_data.clear();
  const bool is_marked = !page.input.aside.without_data.empty();
  const Image read = decode_image(is_marked ? encoded(unmarked) : result.bytes, out.string());
  result.values = delivered_values(runner, read, made.size(0), page.input.range);
  return result;
}

}  // namespace torsor
