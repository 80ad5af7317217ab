// A reader for Python pickles (protocols 0 to 5) that builds plain values and executes nothing. Format:
// CPython's Lib/pickletools.py, which documents every instruction.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace torsor {

/// One value of a pickle. What Python would do by calling something is written down (kCall) or, unless the
/// reader knows that function, forgotten (kOpaque).
struct PickleValue {
  enum class Kind {
    kNone,
    kBool,        // integer is 0 or 1
    kInteger,     // integer
    kBigInteger,  // text: little-endian two's complement, longer than 8 bytes
    kReal,        // real
    kText,        // text
    kBytes,       // text
    kTuple,       // items
    kList,        // items
    kSet,         // items
    kDict,        // items: key, value, key, value ... in order, repeated keys not merged; OrderedDict,
                  // defaultdict and Counter too
    kGlobal,      // text: "module.name", at most kLongestGlobal bytes of it
    kCall,        // callee: the global's value, items: the arguments
    kPersistent,  // items: one, the identifier
    kOpaque,      // an object that Python would have made; callee: of which class or function, where that is
                  // a global. What was put into it is forgotten
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;  // into the pickle's bytes, or into what the Pickle keeps
  std::vector<const PickleValue*> items;
  const PickleValue* callee = nullptr;
  std::uint64_t at = 0;  // the byte of the file (or of the archive's entry) where it was made, for messages

  bool is(Kind wanted) const { return kind == wanted; }
};

/// A pickle's values; pointers among them are good as long as this lives and its bytes do. A list or dict may
/// contain itself, so walks need a bound.
class Pickle {
 public:
  static constexpr std::size_t kLongestGlobal = 200;

  /// Says whether calls of a global such as "torch.Size" are written down; what any other would make is
  /// opaque.
  using KnownCalls = std::function<bool(std::string_view)>;

  /// Reads the pickle at the start of `bytes` up to its STOP; `source` names the file in messages, whose byte
  /// `begins_at` is the first of `bytes`.
  /// Throws Error for: truncated, damaged, an instruction that has no place in a weight file, more than four
  /// million values.
  Pickle(std::string_view bytes, const std::string& source, const KnownCalls& known,
         std::uint64_t begins_at = 0);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }
  /// Bytes read, so that the next pickle of a stream starts there.
  std::size_t size() const { return size_; }
  /// All persistent identifiers met, in order, whether or not the root still refers to them.
  const std::vector<const PickleValue*>& persistent() const { return persistent_; }

 private:
  friend class PickleStack;

  std::deque<PickleValue> values_;  // owns every value, so that deep nesting is freed without recursion
  std::deque<std::string> texts_;   // names of globals, and texts that were escaped
  std::vector<const PickleValue*> persistent_;
  const PickleValue* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace torsor
