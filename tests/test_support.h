// What tests of all layers use: messages of errors, folders of a test's own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "core/error.h"

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
class TestFolder {
 public:
  TestFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("torsor_") + test->test_suite_name() + "_" + test->name();
    for (char& c : name)
      if (c == '/') c = '_';
    name = (std::filesystem::path(::testing::TempDir()) / (name + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    path = name;
  }
  ~TestFolder() {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path / name; }

  std::filesystem::path path;
};

}  // namespace torsor::testing
