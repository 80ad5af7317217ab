// tensor MODEL WIDTH HEIGHT < in.f32 > out.f32: planes of floats in [-1, 1]
#include <ATen/ATen.h>
#include <torsor/translator.h>

#include <iostream>
#include <string>

int main(int, char** argv) try {
  const torsor::Translator translator(argv[1]);
  const at::Tensor images = at::empty({1, 3, std::stoll(argv[3]), std::stoll(argv[2])});
  std::cin.read(static_cast<char*>(images.data_ptr()), images.nbytes());
  const at::Tensor fakes = translator.translate(images);
  std::cout.write(static_cast<const char*>(fakes.data_ptr()), fakes.nbytes());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
