// Text helpers and the reading of JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/json.h"
#include "core/plain_text.h"
#include "core/text.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Text, EditDistanceCountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

TEST(Text, TheNearestWordIsSuggestedAndAFarOneIsNot) {
  const std::vector<std::string> known = {"pool_size", "batch_size", "lr"};
  EXPECT_EQ(nearest("pol_size", known), "pool_size");
  EXPECT_EQ(nearest("bach_size", known), "batch_size");
  EXPECT_EQ(nearest("completely_different", known), "");
  EXPECT_EQ(nearest("pool_size", {}), "");
  EXPECT_EQ(did_you_mean("pol_size", known), "; did you mean 'pool_size'?");
  EXPECT_EQ(did_you_mean("completely_different", known), "");
}

TEST(Text, ASuggestionSharesALetterWithTheWord) {
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest("x", {"a", "b"}), "");
  EXPECT_EQ(nearest("lx", {"lr", "a"}), "lr");
}

TEST(Text, WordsAreJoinedAndRecased) {
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({"a"}, "/"), "a");
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(kebab_case("lambda_cycle_a"), "lambda-cycle-a");
  EXPECT_EQ(snake_case("lambda-cycle-a"), "lambda_cycle_a");
  EXPECT_EQ(lower("LSGAN 2x"), "lsgan 2x");
}

TEST(Text, FromAFileIsMadeFitForALine) {
  EXPECT_EQ(printable("plain 'text'"), "plain 'text'");
  EXPECT_EQ(printable("cheval \u00e9 \u99ac \U0001F40E"), "cheval \u00e9 \u99ac \U0001F40E");
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(printable("a\u0085b\u2028c\u202ed"), "a?b?c?d");  // other line ends, and a turn to the left
  EXPECT_EQ(printable("\xff\xc3(\xc0\x80\xed\xa0\x80"), "?\?(?????");  // no UTF-8, overlong, a surrogate
  EXPECT_EQ(printable("\xe9\xa6"), "??");                              // cut
  EXPECT_EQ(printable(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(printable("xx\u00e9", 3), "xx...");  // no half characters
  EXPECT_TRUE(is_utf8("\u00e9\U0010FFFF"));
  for (const char* text : {"\xff", "\xc3", "\xf4\x90\x80\x80", "\xed\xa0\x80", "\xe0\x80\x80"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Text, OfAMessageIsOneLine) {
  EXPECT_EQ(one_line("a\nb\tc\x01 \u00e9 \xff"), "a b c? \u00e9 \xff");
  EXPECT_EQ(error_of([] { fail("{}: {}", "x", "two\nlines"); }), "x: two lines");
  EXPECT_EQ(error_of<UsageError>([] { fail_usage("{}", "two\r\nlines"); }), "two  lines");
}

TEST(Text, DurationsAreRead) {
  const std::pair<const char*, double> cases[] = {
      {"90", 90},          {"90s", 90},    {"10min", 600},    {"10m", 600},        {"1h", 3600},
      {"2d", 2 * 86400.0}, {"1.5h", 5400}, {"1h30min", 5400}, {"1d2h3m4s", 93784},
  };
  for (const auto& [text, seconds] : cases) EXPECT_DOUBLE_EQ(parse_duration(text, "--for"), seconds) << text;
}

// "1h30" could mean half past one or one hour and 30 seconds.
TEST(Text, WhatIsNotADurationIsRefusedByName) {
  for (const char* text : {"", "h", "1x", "-5s", "0", "0s", "1h-3m", "10 min", "inf", "nan", "1h30", "30 1h"})
    EXPECT_THAT(error_of<UsageError>([&] { parse_duration(text, "--for"); }),
                AllOf(StartsWith("--for: "), HasSubstr(fmt::format("'{}'", text)), HasSubstr("1h30min")));
}

TEST(Text, DurationsAreShownInTwoUnits) {
  const std::pair<double, const char*> cases[] = {
      {0, "0s"},        {-3, "0s"},      {41.6, "42s"},     {59.6, "1m00s"},  {61, "1m01s"},
      {3599, "59m59s"}, {3725, "1h02m"}, {86399, "23h59m"}, {86400, "1d00h"}, {200000, "2d07h"},
  };
  for (const auto& [seconds, text] : cases) EXPECT_EQ(human_duration(seconds), text) << seconds;
}

TEST(Text, SizesAndCountsAreShownForPeople) {
  EXPECT_EQ(human_bytes(2048), "2 KiB");
  EXPECT_EQ(human_bytes(5.0 * 1024 * 1024), "5 MiB");
  EXPECT_EQ(human_bytes(3.3e9), "3.1 GiB");
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(12345678), "12,345,678");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(-1234567), "-1,234,567");
}

TEST(JsonText, OrderOfKeysIsKept) {
  EXPECT_EQ(parse_json(R"({"b": 1, "a": [2, null]})", "x").dump(), R"({"b":1,"a":[2,null]})");
}

TEST(JsonText, AMistakeIsNamedByLineAndColumn) {
  EXPECT_THAT(error_of([] { parse_json("{\n  \"lr\": 1,\n  oops\n}", "run.json"); }),
              StartsWith("run.json:3:3: not JSON: "));
  EXPECT_THAT(error_of([] { parse_json("", "run.json"); }), StartsWith("run.json:1:1: not JSON: "));
  EXPECT_THAT(error_of([] { parse_json("{\"a\": 1", "run.json"); }), StartsWith("run.json:1:8: not JSON: "));
  EXPECT_THAT(error_of([] { parse_json("\"\xff\"", "run.json"); }), StartsWith("run.json:1:2: not JSON: "));
}

TEST(JsonText, NestingHasABound) {
  const auto nested = [](int levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  parse_json(nested(64), "run.json");
  EXPECT_THAT(error_of([&] { parse_json(nested(65), "run.json"); }),
              AllOf(StartsWith("run.json:1:65: not JSON: "), HasSubstr("64 levels")));
  EXPECT_THAT(error_of([&] { parse_json(nested(1'000'000), "run.json"); }), HasSubstr("64 levels"));
  parse_json("\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"", "run.json");  // a text
}

TEST(JsonText, PlainTextHasNoQuotes) {
  EXPECT_EQ(plain_text(Json("a \"b\"")), "a \"b\"");
  EXPECT_EQ(plain_text(Json(0.5)), "0.5");
  EXPECT_EQ(plain_text(Json(nullptr)), "null");
  EXPECT_EQ(plain_text(Json{"a", 1}), R"(["a",1])");
}

TEST(JsonText, CountsAreWholeAndNotNegative) {
  EXPECT_EQ(json_count(Json(3)), 3);
  EXPECT_EQ(json_count(Json(0u)), 0);
  EXPECT_EQ(json_count(parse_json("9223372036854775807", "x")), INT64_MAX);
  for (const char* text : {"-1", "1.5", "1e3", "\"1\"", "true", "null", "[]", "9223372036854775808"})
    EXPECT_THROW(json_count(parse_json(text, "x")), Json::type_error) << text;
}

TEST(JsonText, ANumberBeyondDoubleIsAnErrorOfTheFile) {
  EXPECT_THAT(error_of([] { parse_json(R"({"lr": 1e999})", "run.json"); }),
              AllOf(StartsWith("run.json"), HasSubstr("1e999")));
}

}  // namespace
}  // namespace torsor
