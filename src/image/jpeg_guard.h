// libjpeg's errors and warnings. Internal to this layer.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

namespace torsor::formats {

/// What libjpeg found odd in a file; the first four cost nothing of the picture.
struct JpegDefects {
  bool revision = false;    // of JFIF, unknown
  bool transform = false;   // Adobe's number for the colours, unknown
  bool parameters = false;  // of a sequential scan, which has no use for them
  bool ended = false;       // the file, before its end mark and behind its header
  std::size_t skipped = 0;  // bytes in front of marks
  bool left_over = false;   // such bytes behind the data of a scan
};

/// libjpeg reports through callbacks that must not return and must not throw through C code, so they jump
/// back into run_guarded; what lies between holds no objects with destructors.
struct JpegFailure {
  jpeg_error_mgr manager;  // first: libjpeg knows only this part
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool in_scans = false;  // the header is read
  JpegDefects defects;
};

/// The error manager of a file: errors and the warnings that mean a loss end the step.
jpeg_error_mgr* install(JpegFailure& failure);

/// False when libjpeg failed within `step`; the message is then in `failure`.
template <class Step>
bool run_guarded(JpegFailure& failure, const Step& step) {
  if (setjmp(failure.jump) != 0) return false;
  step();
  return true;
}

}  // namespace torsor::formats
