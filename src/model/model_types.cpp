#include "model/model_types.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

// One line per model; each is defined with its settings.
std::unique_ptr<ModelOptions> make_cyclegan_options();
std::unique_ptr<ModelOptions> make_pix2pix_options();
std::unique_ptr<ModelOptions> make_cut_options();
std::unique_ptr<ModelOptions> make_fastcut_options();
std::unique_ptr<ModelOptions> make_transport_options();
std::unique_ptr<ModelOptions> make_gan_options();
std::unique_ptr<ModelOptions> make_simgan_options();
std::unique_ptr<ModelOptions> make_feature_gan_options();
std::unique_ptr<ModelOptions> make_bigan_options();
std::unique_ptr<ModelOptions> make_cogan_options();

const Registry<ModelType>& model_types() {
  static const Registry<ModelType> table = [] {
    Registry<ModelType> r("model");
    r.add(kDefaultModel, {"two generators and two discriminators, unpaired images", make_cyclegan_options});
    r.add("pix2pix", {"a generator from pairs of images, with an L1 loss and a discriminator of pairs",
                      make_pix2pix_options});
    r.add("cut",
          {"one generator from unpaired images, by comparing patches before and after", make_cut_options});
    r.add("fastcut", {"CUT without its identity term, in less time", make_fastcut_options});
    r.add("transport", {"one generator from unpaired images, which moves them as little as it can",
                        make_transport_options});
    r.add("gan", {"one generator from unpaired images, by the adversarial loss alone", make_gan_options});
    r.add("simgan",
          {"one generator from unpaired images, with an L1 loss between an image and its translation",
           make_simgan_options});
    r.add("feature_gan", {"as simgan, with that loss between features of both", make_feature_gan_options});
    r.add("bigan", {"two generators from unpaired images, and a discriminator of pairs of an image and its "
                    "translation",
                    make_bigan_options});
    r.add("cogan", {"two generators from one latent vector, with their first layers in common; encoders lead "
                    "from images to it",
                    make_cogan_options});
    return r;
  }();
  return table;
}

ModelChoice::ModelChoice(const std::string& name)
    : name_(name), options_(model_types().at(name).make_options()) {}

ModelChoice::ModelChoice(const ModelChoice& other) : name_(other.name_), options_(other.options_->clone()) {}

ModelChoice& ModelChoice::operator=(const ModelChoice& other) {
  if (this == &other) return *this;
  if (name_ == other.name_)
    options_->assign(*other.options_);
  else
    options_ = other.options_->clone();
  name_ = other.name_;
  return *this;
}

void ModelChoice::describe(OptionSet& o) {
  std::vector<std::string> lines;
  for (const std::string& name : model_types().names())
    lines.push_back(fmt::format("{}: {}", name, model_types().at(name).help));
  const std::string name =
      std::exchange(name_, kDefaultModel);  // an option's default is what it had when added
  o.add("model", name_, "what is trained; " + join(lines, "; "))
      .choices(model_types().names())
      .check([bound = name](const std::string& name, const std::string& where) {
        if (name != bound && model_types().has(name))
          fail_usage("{}: '{}', but the options are those of the model '{}'; give one model in one place",
                     where, name, bound);
      })
      .common();
  name_ = name;
}

std::string model_in(const Json& json, const std::string& source) {
  if (!json.is_object() || !json.contains("model")) return kDefaultModel;
  const Json& stored = json.at("model");
  if (!stored.is_string())
    fail_usage("{}: model: expected text in quotes, found {}", source, printable(stored.dump()));
  const std::string name = stored;
  if (!model_types().has(name)) {
    const auto known = model_types().names();
    fail_usage("{}: model: unknown value '{}'{} (one of {})", source, printable(name),
               did_you_mean(name, known), join(known));
  }
  return name;
}

}  // namespace torsor
