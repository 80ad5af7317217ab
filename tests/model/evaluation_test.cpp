// Evaluation for a while: gradients, and the mode of every module, are afterwards what they were.
#include "model/evaluation.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace torsor::testing {
namespace {

struct Part : torch::nn::Module {};

/// A network of two parts.
struct TwoParts : Network {
  TwoParts() : moving(register_module("moving", std::make_shared<Part>())) {
    held = register_module("held", std::make_shared<Part>());
  }
  at::Tensor forward(const at::Tensor& x) override { return x; }
  SizeRule size_rule() const override { return {}; }
  std::string modes() const {
    std::string out;
    for (const bool trains : {is_training(), moving->is_training(), held->is_training()})
      out += trains ? 't' : 'e';
    return out;
  }
  std::shared_ptr<Part> moving, held;
};

class Evaluation : public ::testing::Test {
 protected:
  Evaluation() {
    net_->held->eval();
    still_->eval();
  }
  std::shared_ptr<TwoParts> net_ = std::make_shared<TwoParts>(), still_ = std::make_shared<TwoParts>();
  std::vector<NamedNetwork> networks_ = {{"net", net_}, {"still", still_}};
};

TEST_F(Evaluation, RestoresTheModeOfEveryPart) {
  ASSERT_EQ(net_->modes(), "tte");
  {
    const EvaluationScope scope(networks_);
    EXPECT_EQ(net_->modes(), "eee");
    EXPECT_FALSE(at::GradMode::is_enabled());
  }
  EXPECT_EQ(net_->modes(), "tte");
  EXPECT_EQ(still_->modes(), "eee") << "which it found in evaluation mode";
  EXPECT_TRUE(at::GradMode::is_enabled());
}

TEST_F(Evaluation, Nests) {
  const EvaluationScope outer(networks_);
  {
    const EvaluationScope inner({networks_[0], networks_[0]});
    EXPECT_EQ(net_->modes(), "eee");
  }
  EXPECT_EQ(net_->modes(), "eee") << "the outer one still holds";
  EXPECT_FALSE(at::GradMode::is_enabled());
}

TEST_F(Evaluation, OfANetworkThatIsNamedTwiceRestoresItToo) {
  { const EvaluationScope scope({networks_[0], networks_[0]}); }
  EXPECT_EQ(net_->modes(), "tte");
}

}  // namespace
}  // namespace torsor::testing
