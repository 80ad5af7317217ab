// Programs of the user's that transform images, a folder at a time.
#pragma once

#include <filesystem>
#include <string>

#include "loss/gan_loss.h"

namespace torsor {

/// The file of a program, which is a path or a name on the PATH. Throws Error naming it when there is no such
/// file, or none that may be executed.
std::filesystem::path require_program(const std::string& program);

/// Runs `PROGRAM in out` without a shell and waits for its end; PROGRAM is a path or a name on the PATH.
/// Throws Error naming it when it cannot be started, is killed, or exits with another code than 0 (with the
/// last line that it wrote).
void run_folder_program(const std::string& program, const std::filesystem::path& in,
                        const std::filesystem::path& out);

/// The program as a map of images, [N,C,H,W] with 1 or 3 channels to the same shape: it is run once for all
/// of them, on 8-bit PNG files 000000.png ... in a folder of its own below `scratch`, which is removed. black
/// -1: -1 to 1 are the samples 0 to 255. black 0 (an image has a white of its own): 0 and the image's largest
/// value are. Throws Error naming program and image when one is missing or of another size or number of
/// channels.
TensorMapping folder_mapping(const std::string& program, double black, const std::filesystem::path& scratch);

}  // namespace torsor
