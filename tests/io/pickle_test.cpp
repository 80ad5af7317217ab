#include "io/pickle.h"

#include "io/state_dict.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::PickleText;
using Kind = PickleValue::Kind;
using namespace std::string_view_literals;

std::string refusal_of(const std::string& bytes) {
  return error_of([&] { Pickle(bytes, "x.pth", is_state_dict_global); });
}

TEST(Pickle, ReadsScalarsOfEveryProtocol) {
  // Written by Python: pickle.dumps([None, True, False, 1, 300, 70000, -2, 2**40, -2**40, 1.5, 'a', b'b'],
  // protocol)
  const std::string protocol2(
      "\x80\x02]q\x00(N\x88\x89K\x01M,"
      "\x01Jp\x11\x01\x00J\xfe\xff\xff\xff\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00"
      "\x00\x00\x00\x00\xff"
      "G?\xf8\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00"
      "aq\x01"
      "c_codecs\nencode\nq\x02X\x01\x00\x00\x00"
      "bq\x03X\x06\x00\x00\x00latin1q\x04\x86q\x05Rq\x06"
      "e."sv);
  const std::string protocol5(
      "\x80\x05\x95\x38\x00\x00\x00\x00\x00\x00\x00]\x94(N\x88\x89K\x01M,"
      "\x01Jp\x11\x01\x00J\xfe\xff\xff\xff\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xff"
      "G?\xf8\x00\x00\x00\x00\x00\x00\x8c\x01"
      "a\x94"
      "C\x01"
      "b\x94"
      "e."sv);
  for (const std::string& bytes : {protocol2, protocol5}) {
    const Pickle pickle(bytes, "x", is_state_dict_global);
    EXPECT_EQ(pickle.size(), bytes.size());
    ASSERT_TRUE(pickle.root().is(Kind::kList));
    const auto& items = pickle.root().items;
    ASSERT_EQ(items.size(), 12u);
    EXPECT_TRUE(items[0]->is(Kind::kNone));
    EXPECT_TRUE(items[1]->is(Kind::kBool) && items[1]->integer == 1);
    EXPECT_TRUE(items[2]->is(Kind::kBool) && items[2]->integer == 0);
    const std::int64_t integers[] = {1, 300, 70000, -2, std::int64_t{1} << 40, -(std::int64_t{1} << 40)};
    for (int i = 0; i < 6; ++i) EXPECT_EQ(items[3 + i]->integer, integers[i]);
    EXPECT_EQ(items[9]->real, 1.5);
    EXPECT_EQ(items[10]->text, "a");
  }
}

TEST(Pickle, IntegersOfAnyLength) {
  const auto integer = [](std::string_view raw) {
    const std::string bytes = PickleText().op(raw).stop();
    return Pickle(bytes, "x", is_state_dict_global).root().integer;
  };
  EXPECT_EQ(integer("\x8a\x00"sv), 0);
  EXPECT_EQ(integer("\x8a\x01\xff"), -1);
  EXPECT_EQ(integer("\x8a\x02\xff\x00"sv), 255);
  EXPECT_EQ(integer("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"sv), INT64_MIN);
  EXPECT_EQ(integer("\x8b\x02\x00\x00\x00\x00\x01"sv), 256);
  const std::string big = PickleText().op("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00"sv).stop();
  EXPECT_TRUE(Pickle(big, "x", is_state_dict_global).root().is(Kind::kBigInteger));
}

TEST(Pickle, OrderedDictOfPython2IsADict) {
  PickleText pickle =
      PickleText().global("collections", "OrderedDict").op("(](").op("]").text("k").op("aK\x05");
  pickle.op("aetR");
  const std::string bytes = pickle.stop();
  const Pickle read(bytes, "x", is_state_dict_global);
  ASSERT_TRUE(read.root().is(Kind::kDict));
  ASSERT_EQ(read.root().items.size(), 2u);
  EXPECT_EQ(read.root().items[0]->text, "k");
  EXPECT_EQ(read.root().items[1]->integer, 5);
}

TEST(Pickle, GlobalsOutsideTheWhitelistAreRefusedByName) {
  const std::pair<const char*, const char*> globals[] = {
      {"os", "system"},        {"posix", "system"},
      {"builtins", "eval"},    {"__builtin__", "eval"},
      {"builtins", "exec"},    {"builtins", "getattr"},
      {"subprocess", "Popen"}, {"torch", "load"},
      {"torch.hub", "load"},   {"collections", "Counter"},
      {"torch._utils", ""},    {"numpy", "load"},
      {"torch.nn", "Module"},  {"torch", "FloatStorage.__class__"}};
  for (const auto& [module, name] : globals) {
    const std::string expected = std::string("x.pth: refers to '") + module + "." + name +
                                 "', which a state dict never needs; nothing was executed; refusing the file";
    PickleText by_line = PickleText().global(module, name).op("(").text("touch /tmp/pwned").op("tR");
    EXPECT_THAT(refusal_of(by_line.stop()), HasSubstr(expected));
    PickleText by_stack = PickleText(4).text(module).text(name).op("\x93(").text("touch /tmp/pwned").op("tR");
    EXPECT_THAT(refusal_of(by_stack.stop()), HasSubstr(expected));
  }
}

TEST(Pickle, NamesInMessagesArePrintable) {
  const std::string message = refusal_of(PickleText().global("a\x1b[2J\r", std::string(500, 'x')).stop());
  EXPECT_THAT(message, HasSubstr("'a?[2J?.xxx"));
  EXPECT_LT(message.size(), 300u);
}

TEST(Pickle, OtherWaysToCallAreRefused) {
  const std::pair<std::string, const char*> cases[] = {
      {"(S'true'\nios\nsystem\n", "instruction 0x53"},  // INST of protocol 0
      {"(ios\nsystem\n", "instruction 0x69"},           // INST
      {"(NNo", "instruction 0x6f"},                     // OBJ
      {"\x82\x01", "instruction 0x82"},                 // EXT1
      {"Pid\n", "instruction 0x50"},                    // PERSID
      {std::string("N)}\x92"), "instruction 0x92"},     // NEWOBJ_EX
      {"\x97", "instruction 0x97"},                     // NEXT_BUFFER
      {"N)R", "not a named function"},                  // calling None
      {"X\x01\x01\x01\x01", "truncated"},               // text of 16 MiB
      {"}}b", "no error"},                              // attributes of a dict: fine
  };
  for (const auto& [program, expected] : cases) {
    const std::string bytes = PickleText().op(program).stop();
    if (expected == std::string_view("no error"))
      EXPECT_NO_THROW(Pickle(bytes, "x.pth", is_state_dict_global));
    else
      EXPECT_THAT(refusal_of(bytes), HasSubstr(expected));
  }
}

TEST(Pickle, BrokenProgramsAreErrors) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"\x80\x02.", "stack is empty"},
      {"\x80\x02", "truncated"},
      {"\x80", "truncated"},
      {"", "truncated"},
      {"N.", "protocol number"},
      {"\x80\x01N.", "protocol 1"},
      {"\x80\x06N.", "protocol 6"},
      {"\x80\x02N(0.", "stack is empty"},
      {"\x80\x02t.", "mark is missing"},
      {"\x80\x02N\x86.", "stack is empty"},
      {"\x80\x02Na.", "stack is empty"},
      {"\x80\x02NNa.", "not a container"},
      {"\x80\x02](NNu.", "not a container"},
      {"\x80\x02}(Nu.", "key without a value"},
      {"\x80\x02}(NNs.", "stack is empty"},
      {"\x80\x02h\x05.", "not there"},
      {"\x80\x02q\x05.", "stack is empty"},
      {"\x80\x02\x8b\xff\xff\xff\xff.", "truncated"},
      {"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "truncated"},
      {"\x80\x02"
       "ccollections",
       "truncated"},
      {"\x80\x02"
       "ccollections\nOrderedDict\nNR.",
       "not a tuple"},
      {"\x80\x02"
       "ccollections\nOrderedDict\nN\x85R.",
       "no list"},
      {"\x80\x02"
       "ccollections\nOrderedDict\n]Na\x85R.",
       "not pairs"},
      {"\x80\x02NN\x93.", "name is not text"},
      {"\x80\x02NNb.", "not a dict"},
  };
  for (const auto& [bytes, expected] : cases)
    EXPECT_THAT(refusal_of(std::string(bytes)), HasSubstr(expected)) << ::testing::PrintToString(bytes);
}

TEST(Pickle, DeepNestingIsFreedWithoutRecursion) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string bytes = PickleText().op(")" + std::string(kDepth, '\x85')).stop();
  const Pickle pickle(bytes, "x", is_state_dict_global);
  std::size_t depth = 0;
  for (const PickleValue* value = &pickle.root(); !value->items.empty(); value = value->items[0]) ++depth;
  EXPECT_EQ(depth, kDepth);
}

TEST(Pickle, TheNumberOfValuesIsBounded) {
  EXPECT_THAT(refusal_of(PickleText().op(std::string(4'000'001, 'N')).stop()),
              HasSubstr("more than 4000000"));
}

TEST(Pickle, CopiesOfOneLongListAreBounded) {
  // One list of 1000 pairs made into an OrderedDict again and again.
  PickleText pickle = PickleText().op("](");
  for (int i = 0; i < 1000; ++i) pickle.op("NN\x86");
  pickle.op("e\x85q\x01");
  for (int i = 0; i < 5000; ++i) pickle.global("collections", "OrderedDict").op("h\x01R0");
  EXPECT_THAT(refusal_of(pickle.stop()), HasSubstr("more than 4000000"));
}

}  // namespace
}  // namespace torsor
