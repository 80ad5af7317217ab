// What can be said of a generator's residual blocks before it is trained.
#pragma once

#include "nn/network.h"

namespace torsor {

/// none: it has no residual blocks. normed: whatever its weights are, each residual has a mean square of 1,
/// since the block ends in a norm without parameters. free: neither.
enum class BlockKind { none, normed, free };

/// Of a generator with these options, whatever its width: a narrow one with random weights, parameters of
/// norms included, is asked for the residuals of one small image. Takes milliseconds. Throws UsageError for
/// unusable options.
BlockKind probe_blocks(const GeneratorOptions& options);

}  // namespace torsor
