#include "infer/output_form.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "image/codec.h"
#include "image/convert.h"

namespace torsor {

namespace {

constexpr std::pair<std::string_view, BitDepth> kNames[] = {{"auto", BitDepth::as_input},
                                                            {"8", BitDepth::eight},
                                                            {"16", BitDepth::sixteen},
                                                            {"float", BitDepth::floats}};

PixelType type_of(BitDepth depth, PixelType own) {
  if (depth == BitDepth::as_input) return own;
  return depth == BitDepth::eight     ? PixelType::u8
         : depth == BitDepth::sixteen ? PixelType::u16
                                      : PixelType::f32;
}

std::string ending(const std::filesystem::path& out) { return lower(out.extension().string()); }

}  // namespace

void add_output_format(OptionSet& o, std::string& field, const std::string& help) {
  o.add("format", field, help).common().check([](const std::string& v, const std::string& where) {
    if (!v.empty() && !has_image_extension("x." + v))
      fail_usage("{}: unknown value '{}'{} (one of {})", where, v, did_you_mean(v, image_extensions()),
                 join(image_extensions()));
  });
}

void add_bit_depth(OptionSet& o, std::string& field) {
  std::vector<std::string> names;
  for (const auto& [name, depth] : kNames) names.emplace_back(name);
  o.add("bit_depth", field, "of the outputs' samples; auto: the input's, or 8 where the format has no more")
      .choices(names)
      .number_too()
      .common();
}

BitDepth bit_depth_named(const std::string& name) {
  for (const auto& [known, depth] : kNames)
    if (known == name) return depth;
  fail_usage("--bit-depth: unknown value '{}' (one of auto, 8, 16, float)", name);
}

OutputForm output_form(const std::filesystem::path& out, BitDepth depth, const SetAside& aside,
                       std::int64_t channels, std::vector<std::string>& notes) {
  OutputForm form;
  form.type = type_of(depth, aside.type);
  if (depth == BitDepth::as_input && form.type != PixelType::u8 && !format_holds(out, channels, form.type)) {
    notes.push_back(fmt::format("{} samples are written with 8 bits, as {} files hold no others",
                                form.type == PixelType::u16 ? "16-bit" : "float", ending(out)));
    form.type = PixelType::u8;
  }
  check_format_holds(out, channels, form.type);
  form.channels = channels;
  if (format_keeps_no_data(out)) form.no_data = NoDataTag::kept;
  if (!aside.without_data.empty() && !can_mark_without_data(form.type, aside, form.no_data))
    notes.push_back("pixels without data are black in the translation");
  if (aside.alpha.bytes.empty()) return form;
  for (const std::int64_t colours : {channels, std::int64_t{3}})
    if ((channels == 1 || channels == 3) && form.alpha == OutputAlpha::none &&
        format_holds(out, colours + 1, form.type)) {
      form.alpha = OutputAlpha::of_input;
      form.channels = colours + 1;
    }
  if (form.alpha == OutputAlpha::none && hides_something(aside.alpha))
    notes.push_back(fmt::format("alpha is left out, as {} files of {} channel{} hold none", ending(out),
                                channels, channels == 1 ? "" : "s"));
  return form;
}

IccProfile output_profile(const std::filesystem::path& out, OutputColours colours, const SetAside& aside,
                          std::int64_t channels) {
  if (aside.profile == nullptr) return nullptr;
  if (colours == OutputColours::srgb) return format_holds_profile(out) ? srgb_profile() : nullptr;
  if (!format_holds_profile(out))
    fail(
        "{}: {} files hold no ICC profile, which --keep-profile asks for; write JPEG, PNG, TIFF or WebP, or "
        "leave the option out",
        out.string(), ending(out));
  check_profile_fits(out, aside.profile, channels);
  return aside.profile;
}

Image finished(Image made, const SetAside& aside, const OutputForm& form) {
  mark_without_data(made, aside, form.no_data);
  made.profile = form.profile;
  if (form.alpha == OutputAlpha::none) return made;
  Image out = with_alpha(with_channels(made, form.channels - 1), aside.alpha);
  out.with_tags_of(made);
  return out;
}

}  // namespace torsor
