// What the machine has to give: memory and processors, as far as its limits let this process have them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace torsor {

/// Memory that this process may still take.
struct MemoryRoom {
  double bytes = 0;
  std::string bound;  // who says so: "this machine has free"
};

/// The least of what the kernel calls available, what the control groups' limits leave (v1 and v2), and what
/// `ulimit -v` leaves. Swap does not count: a run that lives in it does not get on. Files are looked for
/// below `root`.
MemoryRoom memory_room(const std::filesystem::path& root = "/");

/// The resident set of this process, in bytes; 0 where the kernel does not say.
double resident_bytes(const std::filesystem::path& root = "/");

/// How many processors this process may use at a time: those it is bound to, less what a control group's
/// quota takes away; at least 1.
std::int64_t usable_processors(const std::filesystem::path& root = "/");

/// Counters that only grow. The difference of two tells where a stretch of time went.
struct MachineUse {
  double seconds = 0;       // of the clock
  double own = 0;           // processor time of this process
  double all = 0;           // of all processes, on the processors that this one may use
  double stolen = 0;        // that a virtual machine's host gave to others
  double throttled = 0;     // that a control group's quota held this process back
  double major_faults = 0;  // pages that had to be read from a disk, as those that were swapped out
};
MachineUse machine_use(const std::filesystem::path& root = "/");

/// What kept this process from computing between two looks, as part of a sentence, or "" when nothing shows.
std::string hindrance(const MachineUse& before, const MachineUse& after, std::int64_t processors);

}  // namespace torsor
