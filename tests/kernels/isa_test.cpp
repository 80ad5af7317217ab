#include "kernels/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;

TEST(Isa, SupportedOnesAreFoundByName) {
  const std::vector<Isa> there = supported_isas();
  ASSERT_FALSE(there.empty());
  EXPECT_EQ(there.front(), Isa::plain);
  for (const Isa isa : there) EXPECT_EQ(isa_named(isa_name(isa)), isa);
}

TEST(Isa, OthersAreRefused) {
  try {
    isa_named("avx3");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("TORSOR_ISA=avx3"));
    EXPECT_THAT(error.what(), HasSubstr("plain, avx2, avx512"));
  }
  if (supported_isas().back() == Isa::avx512) GTEST_SKIP() << "this CPU has all of them";
  EXPECT_THROW(isa_named("avx512"), UsageError);
}

}  // namespace
}  // namespace torsor
