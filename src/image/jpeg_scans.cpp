#include "image/jpeg_scans.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "image/jpeg_segments.h"

namespace torsor::formats {

namespace {

constexpr int kBlock = 64;  // coefficients

// Thrown and caught in this file alone.
struct Fault {
  std::size_t at;
  std::string reason;
};

int byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : 0;
}

// The bits of a scan: FF is followed by a 0 that is not theirs, and by anything else where they end.
class Bits {
 public:
  Bits(std::string_view file, std::size_t at) : file_(file), at_(at) {}

  int next() {
    if (left_ == 0) load();
    return byte_ >> --left_ & 1;
  }

  int next(int count) {
    int value = 0;
    for (; count > 0; --count) value = value << 1 | next();
    return value;
  }

  // The rest of the byte; encoders fill it with ones.
  void finish_byte() {
    if (left_ > 0 && (byte_ & ((1 << left_) - 1)) != (1 << left_) - 1)
      throw Fault{at_, "a scan holds more codes than it has blocks"};
    left_ = 0;
  }

  // Whether nothing but filling ones is left.
  bool at_end() const {
    const int filling = (1 << left_) - 1;
    return (byte_ & filling) == filling && (at_ >= file_.size() || is_mark());
  }

  void skip_restart_mark() {
    while (byte_at(file_, at_) == 0xFF && byte_at(file_, at_ + 1) == 0xFF) ++at_;
    if (byte_at(file_, at_) != 0xFF || (byte_at(file_, at_ + 1) & 0xF8) != 0xD0)
      throw Fault{at_, "no restart mark where one has to be"};
    at_ += 2;
  }

  std::size_t at() const { return at_; }

 private:
  bool is_mark() const { return byte_at(file_, at_) == 0xFF && byte_at(file_, at_ + 1) != 0; }

  void load() {
    const int byte = byte_at(file_, at_);
    if (at_ >= file_.size() || is_mark()) throw Fault{at_, "a scan ends too early"};
    at_ += byte == 0xFF ? 2 : 1;
    byte_ = byte;
    left_ = 8;
  }

  std::string_view file_;
  std::size_t at_;
  int byte_ = 0, left_ = 0;
};

// T.81, annex C and figure F.16.
class HuffmanTable {
 public:
  // `lengths` are the 16 numbers of codes, `values` what they stand for.
  HuffmanTable() = default;
  HuffmanTable(std::string_view lengths, std::string_view values) : values_(values) {
    int code = 0, first = 0;
    for (std::size_t length = 1; length <= 16; ++length) {
      const int count = byte_at(lengths, length - 1);
      offset_[length] = first - code;
      code += count;
      first += count;
      end_[length] = code;
      code <<= 1;
    }
  }

  int decode(Bits& bits) const {
    int code = 0;
    for (std::size_t length = 1; length <= 16; ++length) {
      code = code << 1 | bits.next();
      const int place = code + offset_[length];
      if (code < end_[length]) return byte_at(values_, static_cast<std::size_t>(place));
    }
    throw Fault{bits.at(), "a code that its table does not have"};
  }

 private:
  std::array<int, 17> offset_{}, end_{};
  std::string_view values_;
};

struct Component {
  int id = 0, h = 1, v = 1;
  int blocks_x = 0, blocks_y = 0;       // that hold some of the picture
  int stored_x = 0, stored_y = 0;       // with those that fill up an interleaved scan
  std::vector<std::uint64_t> not_zero;  // of a progressive picture: a bit for each coefficient of a block
};

struct ScanComponent {
  Component* component;
  const HuffmanTable *dc, *ac;
};

struct Scan {
  std::vector<ScanComponent> components;
  int first = 0, last = kBlock - 1, high = 0;
};

class ScanWalk {
 public:
  explicit ScanWalk(std::string_view file) : file_(file) {}

  void run() {
    std::size_t at = kFirstJpegSegment, end = at;
    for (; const auto segment = next_jpeg_segment(file_, at); end = at) {
      skipped_ += segment->at - end;
      if (segment->marker == kJpegEnd) return;
      if (segment->marker == 0xC4) read_tables(segment->content);
      if (segment->marker == 0xDD)
        interval_ = byte_at(segment->content, 0) * 256 + byte_at(segment->content, 1);
      if (is_jpeg_frame(segment->marker)) read_frame(*segment);
      if (segment->marker == kJpegScan) at = walk(*segment, at);
    }
  }

  std::size_t skipped() const { return skipped_; }

 private:
  void read_tables(std::string_view content) {
    while (content.size() > 17) {
      std::size_t codes = 0;
      for (std::size_t i = 1; i <= 16; ++i) codes += static_cast<std::size_t>(byte_at(content, i));
      const int which = (byte_at(content, 0) >> 4 & 1) * 4 + (byte_at(content, 0) & 3);
      tables_[static_cast<std::size_t>(which)] =
          HuffmanTable(content.substr(1, 16), content.substr(17, codes));
      content.remove_prefix(std::min(17 + codes, content.size()));
    }
  }

  void read_frame(const JpegSegment& segment) {
    if (segment.marker > 0xC2) throw Fault{segment.at, "bytes were left over behind an arithmetic scan"};
    progressive_ = segment.marker == 0xC2;
    const std::string_view content = segment.content;
    const int height = byte_at(content, 1) * 256 + byte_at(content, 2);
    const int width = byte_at(content, 3) * 256 + byte_at(content, 4);
    components_.assign(static_cast<std::size_t>(byte_at(content, 5)), {});
    int most_h = 1, most_v = 1;
    for (std::size_t c = 0; c < components_.size(); ++c) {
      const int factors = byte_at(content, 7 + 3 * c);
      components_[c].id = byte_at(content, 6 + 3 * c);
      components_[c].h = std::max(1, factors >> 4);
      components_[c].v = std::max(1, factors & 15);
      most_h = std::max(most_h, components_[c].h);
      most_v = std::max(most_v, components_[c].v);
    }
    const auto parts = [](int size, int step) { return (size + step - 1) / step; };
    units_x_ = parts(width, 8 * most_h);
    units_y_ = parts(height, 8 * most_v);
    for (Component& component : components_) {
      component.blocks_x = parts(width * component.h, 8 * most_h);
      component.blocks_y = parts(height * component.v, 8 * most_v);
      component.stored_x = units_x_ * component.h;
      component.stored_y = units_y_ * component.v;
      if (progressive_)
        component.not_zero.assign(
            static_cast<std::size_t>(component.stored_x) * static_cast<std::size_t>(component.stored_y), 0);
    }
  }

  Scan read_scan(const JpegSegment& segment) {
    Scan scan;
    const std::string_view content = segment.content;
    const auto count = static_cast<std::size_t>(byte_at(content, 0));
    for (std::size_t i = 0; i < count; ++i) {
      const int id = byte_at(content, 1 + 2 * i), tables = byte_at(content, 2 + 2 * i);
      const int dc = tables >> 4 & 3, ac = 4 + (tables & 3);
      const auto found = std::find_if(components_.begin(), components_.end(),
                                      [&](const Component& component) { return component.id == id; });
      if (found == components_.end()) throw Fault{segment.at, "a scan of a component that is not there"};
      scan.components.push_back(
          {&*found, &tables_[static_cast<std::size_t>(dc)], &tables_[static_cast<std::size_t>(ac)]});
    }
    if (count == 0) throw Fault{segment.at, "a scan of no components"};
    if (!progressive_) return scan;
    scan.first = byte_at(content, 1 + 2 * count);
    scan.last = std::min(byte_at(content, 2 + 2 * count), kBlock - 1);
    scan.high = byte_at(content, 3 + 2 * count) >> 4;
    return scan;
  }

  // Returns where the scan's data end.
  std::size_t walk(const JpegSegment& segment, std::size_t at) {
    const Scan scan = read_scan(segment);
    Bits bits(file_, at);
    run_ = 0;
    done_ = 0;
    if (scan.components.size() == 1)
      walk_alone(scan, bits);
    else
      walk_interleaved(scan, bits);
    bits.finish_byte();
    if (!progressive_) check_codes_end(scan, bits.at());
    return bits.at();
  }

  // Remains that read on as blocks, for long or to their very end, are what a scan out of step leaves. Other
  // bytes soon make a code or a block that cannot be; bytes of a few values, which fill up, may not.
  void check_codes_end(const Scan& scan, std::size_t at) {
    constexpr int kBlocks = 150;
    constexpr std::size_t kFew = 8, kLooked = 256;
    std::size_t end = at;
    if (const auto next = next_jpeg_segment(file_, end); next) end = next->at;
    const std::string_view rest = file_.substr(at, std::min(end - at, kLooked));
    if (std::set<char>(rest.begin(), rest.end()).size() <= kFew) return;
    Bits bits(file_, at);
    try {
      for (int blocks = 0; blocks < kBlocks && !bits.at_end();)
        for (const ScanComponent& part : scan.components)
          for (int i = scan.components.size() == 1 ? 1 : part.component->h * part.component->v; i > 0;
               --i, ++blocks) {
            walk_difference(part, bits);
            walk_coefficients(part, bits);
          }
    } catch (const Fault&) {
      return;
    }
    throw Fault{at, "the codes of a scan go on behind its last block"};
  }

  void walk_alone(const Scan& scan, Bits& bits) {
    const ScanComponent& part = scan.components.front();
    for (int y = 0; y < part.component->blocks_y; ++y)
      for (int x = 0; x < part.component->blocks_x; ++x) {
        restart_if_due(bits);
        walk_block(scan, part, x, y, bits);
      }
  }

  void walk_interleaved(const Scan& scan, Bits& bits) {
    for (int unit_y = 0; unit_y < units_y_; ++unit_y)
      for (int unit_x = 0; unit_x < units_x_; ++unit_x) {
        restart_if_due(bits);
        for (const ScanComponent& part : scan.components)
          for (int y = 0; y < part.component->v; ++y)
            for (int x = 0; x < part.component->h; ++x)
              walk_block(scan, part, unit_x * part.component->h + x, unit_y * part.component->v + y, bits);
      }
  }

  void restart_if_due(Bits& bits) {
    if (interval_ > 0 && done_ == interval_) {
      bits.finish_byte();
      bits.skip_restart_mark();
      run_ = 0;
      done_ = 0;
    }
    ++done_;
  }

  void walk_block(const Scan& scan, const ScanComponent& part, int x, int y, Bits& bits) {
    if (!progressive_) {
      walk_difference(part, bits);
      return walk_coefficients(part, bits);
    }
    if (scan.first == 0) {
      if (scan.high != 0)
        bits.next();
      else
        walk_difference(part, bits);
      return;
    }
    std::uint64_t& not_zero =
        part.component
            ->not_zero[static_cast<std::size_t>(y) * static_cast<std::size_t>(part.component->stored_x) +
                       static_cast<std::size_t>(x)];
    if (scan.high == 0)
      walk_first(scan, part, not_zero, bits);
    else
      walk_refinement(scan, part, not_zero, bits);
  }

  static void walk_difference(const ScanComponent& part, Bits& bits) {
    const int size = part.dc->decode(bits);
    if (size > 15) throw Fault{bits.at(), "a difference of too many bits"};
    bits.next(size);
  }

  static void walk_coefficients(const ScanComponent& part, Bits& bits) {
    for (int k = 1; k < kBlock; ++k) {
      const int code = part.ac->decode(bits), zeros = code >> 4, size = code & 15;
      if (size == 0 && zeros != 15) return;
      k += zeros;
      if (k >= kBlock) throw Fault{bits.at(), "a block of too many coefficients"};
      bits.next(size);
    }
  }

  // The bands of a progressive picture; `run_` blocks more are empty from here on.
  void walk_first(const Scan& scan, const ScanComponent& part, std::uint64_t& not_zero, Bits& bits) {
    if (run_ > 0) {
      --run_;
      return;
    }
    for (int k = scan.first; k <= scan.last; ++k) {
      const int code = part.ac->decode(bits), zeros = code >> 4, size = code & 15;
      if (size == 0 && zeros != 15) {
        run_ = (1 << zeros) - 1 + bits.next(zeros);
        return;
      }
      k += zeros;
      if (k > scan.last) throw Fault{bits.at(), "a block of too many coefficients"};
      if (size > 0) not_zero |= std::uint64_t{1} << k;
      bits.next(size);
    }
  }

  void walk_refinement(const Scan& scan, const ScanComponent& part, std::uint64_t& not_zero, Bits& bits) {
    const auto is_set = [&](int k) { return (not_zero >> k & 1) != 0; };
    int k = scan.first;
    for (; run_ == 0 && k <= scan.last; ++k) {
      const int code = part.ac->decode(bits), size = code & 15;
      int zeros = code >> 4;
      if (size == 0 && zeros != 15) {
        run_ = (1 << zeros) + bits.next(zeros);
        break;
      }
      if (size > 1) throw Fault{bits.at(), "a refinement of more than a bit"};
      if (size == 1) bits.next();  // the sign
      for (; k <= scan.last; ++k) {
        if (is_set(k))
          bits.next();
        else if (--zeros < 0)
          break;
      }
      if (size == 1 && k > scan.last) throw Fault{bits.at(), "a block of too many coefficients"};
      if (size == 1) not_zero |= std::uint64_t{1} << k;
    }
    if (run_ == 0) return;
    for (; k <= scan.last; ++k)
      if (is_set(k)) bits.next();
    --run_;
  }

  std::string_view file_;
  std::array<HuffmanTable, 8> tables_;  // four for differences, four for the rest
  std::vector<Component> components_;
  int units_x_ = 0, units_y_ = 0, interval_ = 0;
  bool progressive_ = false;
  std::size_t skipped_ = 0;
  int run_ = 0, done_ = 0;  // done_: of the restart interval
};

}  // namespace

JpegScans check_jpeg_scans(std::string_view file) {
  JpegScans out;
  try {
    ScanWalk walk(file);
    walk.run();
    out.skipped = walk.skipped();
  } catch (const Fault& fault) {
    out.fault = fault.reason;
    out.fault_at = fault.at;
  }
  return out;
}

}  // namespace torsor::formats
