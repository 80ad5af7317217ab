// The program's start.
#include <alloca.h>
#include <unistd.h>

#include "app/cli.h"

namespace {

// Threads that wait for each other spin so many rounds before they sleep: enough to bridge what lies between
// two parallel loops, too few to keep a processor from whoever shares it (docs/performance.md has the
// measurements).
char kSpinCount[] = "GOMP_SPINCOUNT=10000";

bool sets(const char* entry, const char* name) {
  while (*name != '\0' && *entry == *name) {
    ++entry;
    ++name;
  }
  return *name == '\0' && *entry == '=';
}

// libgomp reads the environment in its constructor, before main(), and libc takes the environment anew after
// this: what is set here has to be there from the program's beginning. So it begins again, which costs
// little, since none of the libraries' constructors has run. Where that cannot be, the program goes on as it
// is.
void bound_spinning(int, char** arguments, char** environment) {
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count)
    if (sets(environment[count], "GOMP_SPINCOUNT") || sets(environment[count], "OMP_WAIT_POLICY")) return;
  auto** extended = static_cast<char**>(alloca((count + 2) * sizeof(char*)));
  for (std::size_t i = 0; i < count; ++i) extended[i] = environment[i];
  extended[count] = kSpinCount;
  extended[count + 1] = nullptr;
  // By its own name rather than by the link's, which is what `ps` would show.
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
  if (length <= 0) return;
  path[length] = '\0';
  execve(path, arguments, extended);
}

}  // namespace

// A sanitizer's own start comes later than this.
#ifndef __SANITIZE_ADDRESS__
__attribute__((section(".preinit_array"), used)) static void (*const at_start)(int, char**,
                                                                               char**) = bound_spinning;
#endif

int main(int argc, char** argv) { return torsor::app::main(argc, argv); }
