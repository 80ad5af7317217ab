#include "telemetry/event_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_message.hpp>

#include "core/error.h"
#include "core/files.h"
#include "telemetry/event_fields.h"
#include "telemetry/tf_record.h"

namespace torsor {

namespace {

using protozero::pbf_builder;
using protozero::pbf_message;
using namespace events;

// A version of 2 and later means that begin_session(), and nothing else, makes events void.
constexpr const char* kVersion = "brain.Event:2";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// `fill` adds what the event is about.
template <class Fill>
std::string record(std::int64_t step, const Fill& fill) {
  std::string bytes;
  pbf_builder<Event> event(bytes);
  event.add_double(Event::wall_time, now());
  event.add_int64(Event::step, step);
  fill(event);
  return tf_record(bytes);
}

template <class Fill>
std::string summary_record(std::int64_t step, const std::string& tag, const Fill& fill) {
  return record(step, [&](pbf_builder<Event>& event) {
    pbf_builder<Summary> summary(event, Event::summary);
    pbf_builder<Value> value(summary, Summary::value);
    value.add_string(Value::tag, tag);
    fill(value);
  });
}

template <class Message>
pbf_message<Message> message_in(protozero::pbf_reader& field) {
  if (!field.has_wire_type(protozero::pbf_wire_type::length_delimited))
    throw protozero::unknown_pbf_wire_type_exception();
  return pbf_message<Message>(field.get_view());
}

void read_tag(pbf_message<Value> value, EventHead& head) {
  while (value.next(Value::tag, protozero::pbf_wire_type::length_delimited))
    head.tags.push_back(value.get_string());
}

EventHead read_head(const std::string& bytes) {
  EventHead head;
  pbf_message<Event> event(bytes);
  while (event.next()) {
    if (event.tag() == Event::step && event.has_wire_type(protozero::pbf_wire_type::varint)) {
      head.step = event.get_int64();
    } else if (event.tag() == Event::summary) {
      auto summary = message_in<Summary>(event);
      while (summary.next(Summary::value)) read_tag(message_in<Value>(summary), head);
    } else {
      event.skip();
    }
  }
  return head;
}

// The next event; nothing where there is none that can be read.
std::optional<EventHead> next_event(TfRecordReader& records) {
  const std::optional<std::string> bytes = records.next();
  if (!bytes) return std::nullopt;
  try {
    return read_head(*bytes);
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

std::string rest_of(const fs::path& path, std::uint64_t begin) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string bytes(size - std::min(begin, size), '\0');
  file.seekg(static_cast<std::streamoff>(begin));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) fail("{}: cannot be read: {}", path.string(), std::strerror(errno));
  return bytes;
}

}  // namespace

EventFile::EventFile(std::filesystem::path path) : file_(std::move(path)) {
  file_.append(record(0, [](auto& event) { event.add_string(Event::file_version, kVersion); }));
}

void EventFile::begin_session(std::int64_t step) {
  file_.append(record(step, [](auto& event) {
    pbf_builder<SessionLog> session(event, Event::session_log);
    session.add_enum(SessionLog::status, static_cast<int>(SessionStatus::start));
  }));
}

void EventFile::scalars(std::int64_t step, std::span<const std::pair<std::string, double>> values) {
  file_.append(record(step, [&](auto& event) {
    pbf_builder<Summary> summary(event, Event::summary);
    for (const auto& [tag, number] : values) {
      pbf_builder<Value> value(summary, Summary::value);
      value.add_string(Value::tag, tag);
      value.add_float(Value::simple_value, static_cast<float>(number));
    }
  }));
}

void EventFile::picture(std::int64_t step, const std::string& tag, const EncodedPicture& picture) {
  file_.append(summary_record(step, tag, [&](auto& value) {
    pbf_builder<Picture> image(value, Value::image);
    image.add_int32(Picture::height, static_cast<std::int32_t>(picture.height));
    image.add_int32(Picture::width, static_cast<std::int32_t>(picture.width));
    image.add_int32(Picture::colour_space, static_cast<int>(ColourSpace::rgb));
    image.add_bytes(Picture::encoded, picture.png);
  }));
}

// A tensor of one text and no dimensions, with the name of the plugin that shows it.
void EventFile::text(std::int64_t step, const std::string& tag, const std::string& markdown) {
  file_.append(summary_record(step, tag, [&](auto& value) {
    {
      pbf_builder<Metadata> metadata(value, Value::metadata);
      pbf_builder<PluginData> plugin(metadata, Metadata::plugin_data);
      plugin.add_string(PluginData::plugin_name, "text");
    }
    pbf_builder<Tensor> tensor(value, Value::tensor);
    tensor.add_enum(Tensor::dtype, static_cast<int>(DataType::text));
    tensor.add_message(Tensor::shape, std::string());
    tensor.add_bytes(Tensor::string_value, markdown);
  }));
}

std::uint64_t end_of_events(const fs::path& file, std::int64_t step, const EventSink& kept) {
  TfRecordReader records(file);
  for (;;) {
    const std::uint64_t end = records.position();
    const std::optional<EventHead> event = next_event(records);
    if (!event || event->step > step) return end;
    kept(*event);
  }
}

void rewind_events(const fs::path& file, std::int64_t step, const fs::path& aside, const EventSink& kept) {
  const std::uint64_t end = end_of_events(file, step, kept);
  const std::string rest = rest_of(file, end);
  if (rest.empty()) return;
  AppendedFile(aside).append(rest);
  std::error_code ec;
  fs::resize_file(file, end, ec);
  if (ec) fail("{}: cannot be shortened: {}", file.string(), ec.message());
}

}  // namespace torsor
