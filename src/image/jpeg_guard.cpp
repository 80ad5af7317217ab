#include "image/jpeg_guard.h"

#include <jerror.h>

namespace torsor::formats {

namespace {

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<JpegFailure*>(info->err);
  info->err->format_message(info, failure->message);
  std::longjmp(failure->jump, 1);
}

// Whether a warning costs nothing by itself. Of the last two Decompressor decides once it has all rows.
bool is_kept(JpegFailure& failure) {
  JpegDefects& defects = failure.defects;
  switch (failure.manager.msg_code) {
    case JWRN_JFIF_MAJOR:
      return defects.revision = true;
    case JWRN_ADOBE_XFORM:
      return defects.transform = true;
    case JWRN_NOT_SEQUENTIAL:
      return defects.parameters = true;
    case JWRN_EXTRANEOUS_DATA:
      defects.skipped += static_cast<std::size_t>(failure.manager.msg_parm.i[0]);
      defects.left_over |= failure.in_scans;
      return true;
    case JWRN_JPEG_EOF:
      defects.ended = failure.in_scans;
      return failure.in_scans;
    default:
      return false;
  }
}

// Level -1 is a warning: libjpeg fills up what a damaged file lacks with grey.
void on_message(j_common_ptr info, int level) {
  auto* failure = reinterpret_cast<JpegFailure*>(info->err);
  if (level < 0 && !is_kept(*failure)) on_error(info);
}

void drop_message(j_common_ptr) {}

}  // namespace

jpeg_error_mgr* install(JpegFailure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = drop_message;
  failure.message[0] = '\0';
  return &failure.manager;
}

}  // namespace torsor::formats
