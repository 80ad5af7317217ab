// Field numbers of TensorBoard's event.proto, summary.proto and tensor.proto, as far as torsor writes them.
#pragma once

#include <protozero/types.hpp>

namespace torsor::events {

enum class Event : protozero::pbf_tag_type {
  wall_time = 1,
  step = 2,
  file_version = 3,
  summary = 5,
  session_log = 7
};
enum class SessionLog : protozero::pbf_tag_type { status = 1 };
enum class SessionStatus : int { start = 1 };
enum class Summary : protozero::pbf_tag_type { value = 1 };
enum class Value : protozero::pbf_tag_type { tag = 1, simple_value = 2, image = 4, tensor = 8, metadata = 9 };
enum class Picture : protozero::pbf_tag_type { height = 1, width = 2, colour_space = 3, encoded = 4 };
enum class ColourSpace : int { rgb = 3 };
enum class Metadata : protozero::pbf_tag_type { plugin_data = 1 };
enum class PluginData : protozero::pbf_tag_type { plugin_name = 1 };
enum class Tensor : protozero::pbf_tag_type { dtype = 1, shape = 2, string_value = 8 };
enum class DataType : int { text = 7 };

}  // namespace torsor::events
