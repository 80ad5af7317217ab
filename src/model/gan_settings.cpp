// The adversarial loss alone: a generator from A to B and a discriminator of B, nothing that ties a
// translation to its input (the baseline "GAN alone" of Zhu et al. 2017, table 4; S3-E1). The loss is that of
// S0-Q1 for one direction; what CycleGAN has beside it is what this model shows to be needed.
#include "model/one_way_settings.h"

namespace torsor {

namespace {

struct GanSettings : ModelOptionsOf<GanSettings, OneWaySettings> {};

}  // namespace

std::unique_ptr<ModelOptions> make_gan_options() { return std::make_unique<GanSettings>(); }

}  // namespace torsor
