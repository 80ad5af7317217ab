// Generators and discriminators by name.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "core/registry.h"
#include "nn/layers.h"

namespace torsor {

/// Image sides that a network takes: multiples of `multiple`, at least `minimum` pixels.
struct SizeRule {
  std::int64_t multiple = 1;
  std::int64_t minimum = 1;
  bool takes_others = false;  // sides that are no multiples pass too, and come out rounded up to one
};

/// [N,C_in,H,W] -> image, score map or whatever the network is for.
struct Network : Layer {
  virtual SizeRule size_rule() const = 0;
};

/// What a discriminator's last layer sees of images [N,C,H,W]: features [N,C',H',W'] to compare them by.
/// Computed by libtorch, whatever the engine. Throws Error for a network that is not a list of layers.
at::Tensor features_of(Network& discriminator, const at::Tensor& x);

/// Whether a generator takes as many channels as its options say, or gives back any number that it gets.
enum class Channels { as_described, any };

/// An image-to-image network; output sides equal input sides when size_rule() holds.
struct Generator : Network {
  virtual Channels channels() const { return Channels::as_described; }

  /// forward(), and appends v_t of every residual block x_{t+1} = x_t + v_t to `residuals` in order (the
  /// discrete flow of the dynamic transport form, S2-Q5). Throws Error when the network has no residual
  /// blocks.
  virtual at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals);

  /// How many layers features() can look at, one after the other; 0 in a generator that is no plain list.
  virtual std::int64_t layer_count() const { return 0; }

  /// [N,C_in,H,W] -> what the layers of these indices (ascending, as its state-dict keys number them) put
  /// out, [N,C,h,w] each; no layer behind the last of them is computed. With gradients. A layer with a relu
  /// behind it shows what the relu left of its output, unless it is the last: the reference's relus work in
  /// place (CUT's encoder). Through the engine's kernels too. Throws Error where layer_count() is 0,
  /// std::logic_error for layers that there are not, or not in order.
  virtual std::vector<at::Tensor> features(const at::Tensor& x, const std::vector<std::int64_t>& layers);

  /// The channels of each, for images of `in_channels`; computes nothing. Throws as features() does.
  virtual std::vector<std::int64_t> feature_channels(std::int64_t in_channels,
                                                     const std::vector<std::int64_t>& layers) const;
};

/// The generator that copies. It has no weights, so it can be applied but not trained.
inline constexpr const char* kIdentityGenerator = "identity";

struct GeneratorOptions {
  std::string net_g = "resnet_9blocks";
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t ngf = 64;
  std::string norm = "instance";
  bool dropout = false;
  std::string output_activation = "tanh";
  // What other programs build differently; the defaults are the reference's.
  std::string conv_bias = "auto";      // see inner_bias()
  std::string padding = "reflect";     // of residual blocks
  std::string downsample = "strided";  // of a resnet: strided convolutions, or blurred after others
  std::string upsample =
      "transposed";                 // of a resnet: transposed convolutions, or resize or blur before others
  std::int64_t n_downsampling = 2;  // of a resnet: how often sides are halved
  // Of a flow: how dx/dt = v(x, t) is solved.
  std::string flow_solver = "midpoint";
  std::int64_t flow_steps = 4;
  double flow_tolerance = 1e-3;
  std::string flow_blocks = "shared";  // one v for all steps, or each its own

  void describe(OptionSet& o);       // all of it, as stored with a model
  void describe_user(OptionSet& o);  // what a user chooses; the channels follow from the domains
  Bias inner_bias() const { return torsor::inner_bias(norm, conv_bias); }

 private:
  void describe_flow(OptionSet& o);
};

struct DiscriminatorOptions {
  std::string net_d = "basic";
  std::int64_t in_channels = 3;
  std::int64_t ndf = 64;
  std::int64_t n_layers_d = 3;
  std::string norm = "instance";
  std::string conv_bias = "auto";      // see inner_bias()
  std::string downsample = "strided";  // of an n_layers one: as a generator's

  void describe(OptionSet& o);
  void describe_user(OptionSet& o);  // without channels and norm, which are the generators' too
  Bias inner_bias() const { return torsor::inner_bias(norm, conv_bias); }
};

/// Builds a network; parameters are zeros until init_weights. Throws UsageError for an unknown name or bad
/// options.
std::shared_ptr<Generator> make_generator(const GeneratorOptions& options);
std::shared_ptr<Network> make_discriminator(const DiscriminatorOptions& options);

/// The sides that such a network takes, without making its weights. Throws as make_generator does.
SizeRule size_rule_of(const GeneratorOptions& options);
SizeRule size_rule_of(const DiscriminatorOptions& options);

/// Names for help and messages, of networks that can be trained; a name with <n> stands for a family
/// (resnet_<n>blocks).
std::vector<std::string> generator_names();
std::vector<std::string> discriminator_names();

/// Throws UsageError unless a network of this name exists (an Option checker: `where` names the option).
void check_generator_name(const std::string& name, const std::string& where);
void check_discriminator_name(const std::string& name, const std::string& where);

/// The number of trainable parameters.
std::int64_t parameter_count(const torch::nn::Module& module);

}  // namespace torsor
