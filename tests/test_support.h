// What tests of all layers use: messages of errors, folders of a test's own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/error.h"
#include "scratch_folder.h"

namespace torsor::testing {

/// The message of the ErrorType that `action` throws, one line; a test failure when it throws none.
template <class ErrorType = Error, class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const ErrorType& error) {
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
    return error.what();
  }
  ADD_FAILURE() << "no such error was thrown";
  return "";
}

/// An empty folder of this test's own, removed with it.
class TestFolder : public ScratchFolder {
 public:
  TestFolder() : ScratchFolder(name_of_test()) {}

 private:
  static std::string name_of_test() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("torsor_") + test->test_suite_name() + "_" + test->name();
    for (char& c : name)
      if (c == '/') c = '_';
    return name;
  }
};

}  // namespace torsor::testing
