// tensor MODEL WIDTH HEIGHT < in.f32 > out.f32: planes of floats in [-1, 1]
#include <ATen/ATen.h>
#include <torsor/translator.h>

#include <cstdlib>
#include <iostream>

int main(int count, char** words) try {
  if (count != 4 || std::atoi(words[2]) < 1 || std::atoi(words[3]) < 1) {
    std::cerr << "usage: tensor MODEL WIDTH HEIGHT < in.f32 > out.f32\n";
    return 2;
  }
  const torsor::Translator translator(words[1]);
  const at::Tensor images = at::empty({1, 3, std::atoi(words[3]), std::atoi(words[2])});
  if (!std::cin.read(static_cast<char*>(images.data_ptr()), images.nbytes()))
    throw torsor::Error("standard input ends early");
  const at::Tensor fakes = translator.translate(images);
  std::cout.write(static_cast<const char*>(fakes.data_ptr()), fakes.nbytes());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
