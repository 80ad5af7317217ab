#include <cstring>
#include <exception>
#include <string>

#include "core/error.h"
#include "core/version.h"
#include "torsor/torsor.h"
#include "torsor/translator.h"

struct torsor_model {
  torsor::Translator translator;
};

namespace {

thread_local std::string last_error;
thread_local std::string last_doubt;
thread_local std::string last_evidence;

constexpr int kFailed = 1;

// Runs `action`; nothing may be thrown through a C caller.
template <class Result, class Action>
Result call(Result on_failure, const Action& action) noexcept {
  try {
    return action();
  } catch (const std::exception& e) {
    try {
      last_error = e.what();
    } catch (...) {
      last_error.clear();  // no memory for the words
    }
  } catch (...) {
    last_error.clear();
  }
  return on_failure;
}

// A field that the caller's version of the struct has, and else what 0 stands for.
template <class Options, class Field>
Field field_of(const Options& options, Field Options::*field) {
  const auto* end = reinterpret_cast<const char*>(&(options.*field) + 1);
  const bool known =
      end - reinterpret_cast<const char*>(&options) <= static_cast<std::ptrdiff_t>(options.size);
  return known ? options.*field : Field{};
}

template <class Options>
std::string given(const Options& options, const char* Options::*field, const std::string& otherwise) {
  const char* text = field_of(options, field);
  return text == nullptr || *text == '\0' ? otherwise : text;
}

torsor::TranslatorOptions translator_options(const torsor_options* options) {
  torsor::TranslatorOptions out;
  if (options == nullptr) return out;
  if (options->size < sizeof(options->size))
    torsor::fail_usage("torsor_options: size is {}; set it to sizeof(torsor_options)", options->size);
  out.direction = given(*options, &torsor_options::direction, out.direction);
  out.device = given(*options, &torsor_options::device, out.device);
  out.precision = given(*options, &torsor_options::precision, out.precision);
  out.norm_stats = given(*options, &torsor_options::norm_stats, out.norm_stats);
  out.engine = given(*options, &torsor_options::engine, out.engine);
  const std::string evidence = given(*options, &torsor_options::evidence, "off");
  if (evidence != "on" && evidence != "off")
    torsor::fail_usage("torsor_options: evidence is '{}'; expected on or off", evidence);
  out.evidence = evidence == "on";
  return out;
}

const torsor_model& checked(const torsor_model* model) {
  if (model == nullptr) torsor::fail("torsor: the model is NULL; torsor_load gives one");
  return *model;
}

torsor::EvidenceOptions evidence_options(const torsor_evidence_options* options) {
  using From = torsor_evidence_options;
  torsor::EvidenceOptions out;
  if (options == nullptr) return out;
  if (options->size < sizeof(options->size))
    torsor::fail_usage("torsor_evidence_options: size is {}; set it to sizeof(torsor_evidence_options)",
                       options->size);
  out.name = given(*options, &From::name, out.name);
  out.ensemble = given(*options, &From::ensemble, out.ensemble);
  const torsor_model* const* also = field_of(*options, &From::also);
  for (std::size_t i = 0; also != nullptr && i < field_of(*options, &From::also_count); ++i)
    out.also.push_back(checked(also[i]).translator);
  if (const double percentile = field_of(*options, &From::doubt_percentile); percentile != 0)
    out.doubt_percentile = percentile;
  if (const double spread = field_of(*options, &From::doubt_spread); spread != 0) out.doubt_spread = spread;
  out.refuse_doubtful = field_of(*options, &From::refuse_doubtful) != 0;
  return out;
}

torsor::PixelLayout layout_of(const torsor_image& image) {
  return {image.width,    image.height,   image.channels,      static_cast<torsor::SampleType>(image.type),
          image.x_stride, image.y_stride, image.channel_stride};
}

}  // namespace

torsor_model* torsor_load(const char* path, const torsor_options* options) {
  return call<torsor_model*>(nullptr, [&] {
    if (path == nullptr) torsor::fail("torsor_load: the path is NULL; expected that of a model");
    return new torsor_model{torsor::Translator(path, translator_options(options))};
  });
}

void torsor_free(torsor_model* model) { delete model; }

int torsor_in_channels(const torsor_model* model) {
  return call(0, [&] { return static_cast<int>(checked(model).translator.in_channels()); });
}

int torsor_out_channels(const torsor_model* model) {
  return call(0, [&] { return static_cast<int>(checked(model).translator.out_channels()); });
}

const char* torsor_describe(const torsor_model* model) {
  return call<const char*>(nullptr, [&] { return checked(model).translator.describe().c_str(); });
}

int torsor_translate(const torsor_model* model, const torsor_image* in, const torsor_image* out) {
  return call(kFailed, [&] {
    if (in == nullptr || out == nullptr) torsor::fail("torsor_translate: an image is NULL");
    checked(model).translator.translate(in->data, layout_of(*in), out->data, layout_of(*out));
    return 0;
  });
}

const char* torsor_translate_with_evidence(const torsor_model* model, const torsor_image* in,
                                           const torsor_image* out, const torsor_evidence_options* options) {
  return call<const char*>(nullptr, [&] {
    if (in == nullptr || out == nullptr) torsor::fail("torsor_translate_with_evidence: an image is NULL");
    last_evidence = checked(model).translator.translate_with_evidence(
        in->data, layout_of(*in), out->data, layout_of(*out), evidence_options(options));
    return last_evidence.c_str();
  });
}

const char* torsor_doubt(const torsor_model* model, const torsor_image* in) {
  return call<const char*>(nullptr, [&] {
    if (in == nullptr) torsor::fail("torsor_doubt: the image is NULL");
    last_doubt = checked(model).translator.doubt(in->data, layout_of(*in));
    return last_doubt.c_str();
  });
}

int torsor_set_threads(int threads) {
  return call(kFailed, [&] {
    torsor::set_threads(threads);
    return 0;
  });
}

const char* torsor_last_error(void) { return last_error.c_str(); }

const char* torsor_version(void) {
  static const std::string text = torsor::torsor_version();
  return text.c_str();
}
