// A thousand steps, by kernels or by libtorch, take no more memory than the first hundred.
#include <malloc.h>

#include <algorithm>

#include "kernels/isa.h"
#include "model/model_test_support.h"
#include "nn/engine.h"

namespace torsor::testing {
namespace {

/// Bytes that malloc has given out, in all threads' arenas and in mappings.
double bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

TEST(Memory, IsFlatOverAThousandSteps) {
  CycleGanSpec spec = tiny_spec();
  spec.g_a_to_b.ngf = spec.g_b_to_a.ngf = 16;
  spec.d_a.ndf = spec.d_b.ndf = 16;
  spec.cyclegan.pool_size = 50;
  Placement placement = cpu();
  placement.engine = Engine::fast;
  Rig rig(spec, placement);
  watch_engine(*network(rig.model, "g_a_to_b"));
  double early = 0;
  for (int step = 1; step <= 1000; ++step) {
    rig.step();
    if (step == 100) early = bytes_in_use();  // the pools are full, and every buffer has been used
  }
  EXPECT_LT(bytes_in_use(), early + 256e3) << "of " << early;
  const std::vector<LayerPath> paths = seen_paths(*network(rig.model, "g_a_to_b"));
  if (chosen_isa() == Isa::plain) return;
  EXPECT_GE(std::count_if(paths.begin(), paths.end(), [](const LayerPath& path) { return path.by_kernel; }),
            5);
}

}  // namespace
}  // namespace torsor::testing
