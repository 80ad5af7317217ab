// Opens a run and its images, and measures what its translations cost: `torsor transport`. It lives here
// since runs and held-out images are opened as an audit opens them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/log.h"
#include "core/stop.h"
#include "model/placement.h"
#include "transport/transport_options.h"
#include "transport/transport_result.h"

namespace torsor {

struct TransportRequest {
  std::string run;             // whatever open_weights() takes
  std::string data = {};       // what --data of a training names, or
  std::filesystem::path a, b;  // folders of images
  PlacementOptions placement = {};
};

/// Of each direction that the run translates. Throws UsageError for options that do not go together, Error
/// naming what cannot be read, for domains of different sizes (or, in pixels, channels) and for more images
/// than fit into the memory, with the number; StoppedError.
TransportResult measure_transport(const TransportRequest& request, const TransportOptions& options,
                                  const std::shared_ptr<LogSink>& log, const StopFlag& stop);

}  // namespace torsor
