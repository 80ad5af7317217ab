#include "audit/folder_program.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <vector>

#include "audit/audit_images.h"
#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/convert.h"

extern char** environ;

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kWhiteSample = 255;  // of 8 bits

// A folder that goes with the object.
class ProgramFolder {
 public:
  explicit ProgramFolder(const fs::path& below) {
    make_folder(below);
    std::string name = (below / "torsor-symmetry-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      fail("{}: no folder can be made in it: {}", below.string(), std::strerror(errno));
    path_ = name;
    make_folder(in());
    make_folder(out());
  }
  ~ProgramFolder() {
    std::error_code ignored;  // what cannot be removed does no harm
    fs::remove_all(path_, ignored);
  }
  ProgramFolder(const ProgramFolder&) = delete;
  ProgramFolder& operator=(const ProgramFolder&) = delete;

  fs::path in() const { return path_ / "in"; }
  fs::path out() const { return path_ / "out"; }

 private:
  fs::path path_;
};

fs::path said_by_program(const fs::path& out) { return out.parent_path() / "said.txt"; }

// "; it said: ..." with the last line of what it wrote, or "".
std::string last_line_said(const fs::path& said) {
  std::error_code ec;
  if (!fs::exists(said, ec)) return "";
  std::string text = read_file(said);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  if (text.empty()) return "";
  const std::size_t start = text.find_last_of('\n');
  return "; it said: " + printable(start == std::string::npos ? text : text.substr(start + 1), 200);
}

// The range in which an image is written and read back.
ValueRange program_range(const at::Tensor& values, double black) {
  if (black != 0) return {};
  const double largest = values.max().item<double>();
  return {largest > 0 ? kWhiteSample / largest : kWhiteSample, 0, 0, PixelType::u8};
}

std::string program_image(std::int64_t i) { return fmt::format("{:06}.png", i); }

at::Tensor returned_image(const std::string& program, const fs::path& file, const at::Tensor& sent,
                          const ValueRange& range) {
  std::error_code ec;
  if (!fs::exists(file, ec))
    fail("{}: made no image {}; it has to write one of the same name for each of IN to OUT", program,
         file.filename().string());
  const Image image = read_image(file);
  if (image.width != sent.size(2) || image.height != sent.size(1) || image.channels != sent.size(0))
    fail("{}: its image {} is {}x{} with {} channels, expected {}x{} with {} as the image that it was given",
         program, file.filename().string(), image.width, image.height, image.channels, sent.size(2),
         sent.size(1), sent.size(0));
  if (image.type != PixelType::u8)
    fail("{}: its image {} has {} samples, expected 8-bit ones", program, file.filename().string(),
         depth_text(image.type));
  return to_tensor(image, range);
}

}  // namespace

fs::path require_program(const std::string& program) {
  const auto may_run = [](const fs::path& file) {
    std::error_code ec;
    return fs::is_regular_file(file, ec) && access(file.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string::npos) {
    std::error_code ec;
    if (!fs::exists(program, ec)) fail("{}: there is no such program", program);
    if (!may_run(program)) fail("{}: is no program that may be executed (chmod +x)", program);
    return program;
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (may_run(fs::path(folder) / program)) return fs::path(folder) / program;
  fail("{}: there is no such program on the PATH; a program of this folder is ./{}", program, program);
}

void run_folder_program(const std::string& program, const fs::path& in, const fs::path& out) {
  const fs::path said = said_by_program(out);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  std::vector<std::string> words = {program, in.string(), out.string()};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, program.c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) fail("{}: cannot be started as PROGRAM IN OUT: {}", program, std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail("{}: cannot be waited for: {}", program, std::strerror(errno));
  if (WIFSIGNALED(status)) fail("{}: was ended by signal {}", program, WTERMSIG(status));
  if (WEXITSTATUS(status) != 0)
    fail("{}: failed with exit code {}{}", program, WEXITSTATUS(status), last_line_said(said));
}

TensorMapping folder_mapping(const std::string& program, double black, const fs::path& scratch) {
  return [=](const at::Tensor& x) {
    const at::Tensor values = x.to(at::kFloat);
    const ProgramFolder folder(scratch);
    std::vector<ValueRange> ranges;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      ranges.push_back(program_range(values[i], black));
      write_image(folder.in() / program_image(i), preview_of(values[i], ranges.back()));
    }
    run_folder_program(program, folder.in(), folder.out());
    std::vector<at::Tensor> out;
    for (std::int64_t i = 0; i < values.size(0); ++i)
      out.push_back(returned_image(program, folder.out() / program_image(i), values[i],
                                   ranges[static_cast<std::size_t>(i)]));
    return at::stack(out).to(x.scalar_type());
  };
}

}  // namespace torsor
