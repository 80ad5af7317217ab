// The instruction codes of pickles and a bounded reader of their bytes. Codes: CPython's Lib/pickletools.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace torsor::pickle {

enum Op : unsigned char {
  kMark = '(',
  kStop = '.',
  kFloat = 'F',
  kInt = 'I',
  kLong = 'L',
  kPersId = 'P',
  kString = 'S',
  kUnicode = 'V',
  kDict = 'd',
  kGet = 'g',
  kInst = 'i',
  kList = 'l',
  kObj = 'o',
  kPut = 'p',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyTuple = ')',
  kEmptyDict = '}',
  kProto = 0x80,
  kNewObj = 0x81,
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

/// Walks through bytes; every step is checked. Numbers are little endian.
class Bytes {
 public:
  /// Both must outlive this; `source` names the file in messages, whose byte `begins_at` is the first.
  Bytes(std::string_view bytes, const std::string& source, std::uint64_t begins_at)
      : bytes_(bytes), source_(source), begins_at_(begins_at) {}

  std::size_t position() const { return at_; }
  std::uint64_t position_in_file() const { return begins_at_ + at_; }

  /// The next `count` bytes. Throws Error "truncated".
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) truncated();
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  /// An unsigned number of `width` bytes, at most 8.
  std::uint64_t take_number(std::size_t width) {
    std::uint64_t number = 0;
    const std::string_view raw = take(width);
    for (std::size_t i = width; i-- > 0;) number = number << 8 | static_cast<unsigned char>(raw[i]);
    return number;
  }

  /// A length of `width` bytes and then as many bytes as it says.
  std::string_view take_sized(std::size_t width) { return take(take_number(width)); }

  /// Up to the next line feed, which is skipped.
  std::string_view take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) truncated();
    const std::string_view line = take(end - at_);
    take(1);
    return line;
  }

 private:
  [[noreturn]] void truncated() const {
    fail(
        "{}: is truncated: the pickle in it ends at byte {}, inside an instruction; copy or download it "
        "again",
        source_, begins_at_ + bytes_.size());
  }

  std::string_view bytes_;
  const std::string& source_;
  std::uint64_t begins_at_;
  std::size_t at_ = 0;
};

}  // namespace torsor::pickle
