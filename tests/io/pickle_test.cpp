#include "io/pickle.h"

#include "io/tensor_rebuild.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::PickleText;
using Kind = PickleValue::Kind;
using namespace std::string_view_literals;

std::string refusal_of(const std::string& bytes) {
  return error_of([&] { Pickle(bytes, "x.pth", is_tensor_call); });
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
    const Pickle pickle(bytes, "x", is_tensor_call);
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
    return Pickle(bytes, "x", is_tensor_call).root().integer;
  };
  EXPECT_EQ(integer("\x8a\x00"sv), 0);
  EXPECT_EQ(integer("\x8a\x01\xff"), -1);
  EXPECT_EQ(integer("\x8a\x02\xff\x00"sv), 255);
  EXPECT_EQ(integer("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"sv), INT64_MIN);
  EXPECT_EQ(integer("\x8b\x02\x00\x00\x00\x00\x01"sv), 256);
  const std::string big = PickleText().op("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00"sv).stop();
  EXPECT_TRUE(Pickle(big, "x", is_tensor_call).root().is(Kind::kBigInteger));
}

TEST(Pickle, OrderedDictOfPython2IsADict) {
  PickleText pickle =
      PickleText().global("collections", "OrderedDict").op("(](").op("]").text("k").op("aK\x05");
  pickle.op("aetR");
  const std::string bytes = pickle.stop();
  const Pickle read(bytes, "x", is_tensor_call);
  ASSERT_TRUE(read.root().is(Kind::kDict));
  ASSERT_EQ(read.root().items.size(), 2u);
  EXPECT_EQ(read.root().items[0]->text, "k");
  EXPECT_EQ(read.root().items[1]->integer, 5);
}

// Whatever the file names, called in every way: only the name is noted.
TEST(Pickle, WhatWouldBeCalledIsOpaque) {
  const std::pair<const char*, const char*> globals[] = {
      {"os", "system"},          {"posix", "system"},
      {"builtins", "eval"},      {"__builtin__", "eval"},
      {"builtins", "getattr"},   {"subprocess", "Popen"},
      {"torch", "load"},         {"torch.hub", "load"},
      {"torch._utils", ""},      {"numpy", "load"},
      {"torch.nn", "Module"},    {"torch", "FloatStorage.__class__"},
      {"argparse", "Namespace"}, {"numpy.core.multiarray", "scalar"},
      {"pathlib", "PosixPath"},  {"numpy._core.multiarray", "_reconstruct"}};
  for (const auto& [module, name] : globals) {
    PickleText by_line = PickleText().global(module, name).op("(").text("touch /tmp/pwned").op("tR");
    PickleText by_stack = PickleText(4).text(module).text(name).op("\x93(").text("touch /tmp/pwned").op("tR");
    PickleText by_class = PickleText().global(module, name).op(")\x81}").text("k").op("NsbN0");
    for (const std::string& bytes : {by_line.stop(), by_stack.stop(), by_class.stop()}) {
      const Pickle pickle(bytes, "x.pth", is_tensor_call);
      ASSERT_TRUE(pickle.root().is(Kind::kOpaque)) << module << "." << name;
      EXPECT_EQ(pickle.root().callee->text, std::string(module) + "." + name);
      EXPECT_TRUE(pickle.root().items.empty()) << "what it was called with is forgotten";
    }
  }
}

TEST(Pickle, OtherWaysToMakeObjectsAreOpaqueToo) {
  const std::string programs[] = {
      "(S'true'\nios\nsystem\n",             // INST with an argument
      "(ios\nsystem\n",                      // INST
      "(cos\nsystem\nNo",                    // OBJ
      "\x82\x01",                            // EXT1
      "\x83\x01\x02",                        // EXT2
      std::string("\x84\x01\x02\x03\x04"),   // EXT4
      "Pid\n",                               // PERSID
      "cos\nsystem\n)}\x92",                 // NEWOBJ_EX
      "cos\nsystem\n)R)R",                   // what a call gave is called
      "cos\nsystem\n)RNa(NNeNNs(NNu(N\x90",  // filled as a list, a dict, a set
      "cos\nsystem\n)R}b",                   // given attributes
  };
  for (const std::string& program : programs) {
    const std::string bytes = PickleText().op(program).stop();
    const Pickle pickle(bytes, "x.pth", is_tensor_call);
    EXPECT_TRUE(pickle.root().is(Kind::kOpaque)) << program;
    EXPECT_TRUE(pickle.root().items.empty()) << program;
  }
  EXPECT_THAT(refusal_of(PickleText().op("\x97").stop()), HasSubstr("instruction 0x97"));  // NEXT_BUFFER
  EXPECT_THAT(refusal_of(PickleText().op("N)R").stop()), HasSubstr("not a named function"));
  EXPECT_THAT(refusal_of(PickleText().op("X\x01\x01\x01\x01").stop()), HasSubstr("truncated"));
}

TEST(Pickle, DictsOfKnownTypesAreDicts) {
  const std::string made[] = {
      PickleText()
          .global("collections", "defaultdict")
          .op("c__builtin__\nlist\n\x85R")
          .text("k")
          .op("K\x05s")
          .stop(),
      PickleText().global("collections", "defaultdict").op(")R").text("k").op("K\x05s").stop(),
      PickleText().global("collections", "Counter").op("}").text("k").op("K\x05s\x85R").stop(),
      PickleText().global("collections", "OrderedDict").op(")R").text("k").op("K\x05s").stop(),
      PickleText().global("builtins", "dict").op(")\x81").text("k").op("K\x05s").stop(),
      std::string("(dp0\nS'k'\np1\nI5\ns."),
      "(S'k'\nI5\nd."};
  for (const std::string& bytes : made) {
    const Pickle pickle(bytes, "x.pth", is_tensor_call);
    ASSERT_TRUE(pickle.root().is(Kind::kDict)) << ::testing::PrintToString(bytes);
    ASSERT_EQ(pickle.root().items.size(), 2u);
    EXPECT_EQ(pickle.root().items[0]->text, "k");
    EXPECT_EQ(pickle.root().items[1]->integer, 5);
  }
}

// pickle.dumps(..., protocol) of Python 2 and 3.
TEST(Pickle, ReadsTheLinesOfProtocols0And1) {
  const std::string bytes =
      "(lp0\nNaI01\naI00\naI-7\naL1099511627776L\naL119547037146038801333356L\naF1.5\naFinf\na"
      "S'it\\'s \\x41\\n'\naV\\u20ac \\U0001F600 \xe9\\n\np1\nag1\na(I1\nI2\ntp2\na.";
  const Pickle pickle(bytes, "x", is_tensor_call);
  const auto& items = pickle.root().items;
  ASSERT_EQ(items.size(), 12u);
  EXPECT_TRUE(items[0]->is(Kind::kNone));
  EXPECT_TRUE(items[1]->is(Kind::kBool) && items[1]->integer == 1);
  EXPECT_TRUE(items[2]->is(Kind::kBool) && items[2]->integer == 0);
  EXPECT_EQ(items[3]->integer, -7);
  EXPECT_EQ(items[4]->integer, std::int64_t{1} << 40);
  EXPECT_TRUE(items[5]->is(Kind::kBigInteger));
  EXPECT_EQ(items[6]->real, 1.5);
  EXPECT_GT(items[7]->real, 1e308);
  EXPECT_EQ(items[8]->text, "it's A\n");
  EXPECT_EQ(items[9]->text, "\xe2\x82\xac \xf0\x9f\x98\x80 \xc3\xa9\\n");
  EXPECT_EQ(items[10], items[9]);
  EXPECT_EQ(items[11]->items[1]->integer, 2);
}

TEST(Pickle, LongNamesTakeNoMoreThanTheyAreWorth) {
  // One module's name of a megabyte, mentioned with many names.
  PickleText pickle = PickleText(4)
                          .text(std::string(1 << 20, 'm'))
                          .op("q\x01"
                              "0");
  for (int i = 0; i < 2000; ++i)
    pickle.op("h\x01")
        .text(std::to_string(i))
        .op("\x93"
            "0");
  const std::string bytes = pickle.op("h\x01h\x01\x93").stop();
  EXPECT_EQ(Pickle(bytes, "x", is_tensor_call).root().text.size(), Pickle::kLongestGlobal);
}

TEST(Pickle, BrokenProgramsAreErrors) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"\x80\x02.", "stack is empty"},
      {"\x80\x02", "truncated"},
      {"\x80", "truncated"},
      {"", "truncated"},
      {"I1x\n.", "not written in digits"},
      {"F\n.", "not written in digits"},
      {"S'a\n.", "no quotes"},
      {"Ng-1\n.", "not a number"},
      {"(Nd.", "key without a value"},
      {"(o.", "no class"},
      {"\x80\x01N.", "protocol 1"},
      {"\x80\x06N.", "protocol 6"},
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
      {"\x80\x02NNb.", "neither a dict nor an object"},
  };
  for (const auto& [bytes, expected] : cases)
    EXPECT_THAT(refusal_of(std::string(bytes)), HasSubstr(expected)) << ::testing::PrintToString(bytes);
}

TEST(Pickle, DeepNestingIsFreedWithoutRecursion) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string bytes = PickleText().op(")" + std::string(kDepth, '\x85')).stop();
  const Pickle pickle(bytes, "x", is_tensor_call);
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
