#include "model/generator_state.h"

#include <torch/types.h>

namespace torsor {

void save_generator(Archive& archive, const std::string& name, const at::Generator& generator) {
  archive.put(name, generator.get_state());
}

void load_generator(const Archive& archive, const std::string& name, at::Generator& generator) {
  const at::Tensor state = archive.tensor(name), mine = generator.get_state();
  if (state.scalar_type() != mine.scalar_type() || state.sizes() != mine.sizes())
    archive.refuse(name, "it is not the state of a generator of random numbers");
  try {
    generator.set_state(state);
  } catch (const c10::Error&) {  // libtorch looks at its numbers too
    archive.refuse(name, "it is not a state that a generator of random numbers can have");
  }
}

}  // namespace torsor
