// buffer MODEL WIDTH HEIGHT < in.rgb > out.rgb
#include <torsor/translator.h>

#include <iostream>
#include <string>
#include <vector>

int main(int, char** argv) try {
  const torsor::Translator translator(argv[1]);
  const torsor::PixelLayout in{std::stoll(argv[2]), std::stoll(argv[3])};  // RGB, a byte each
  std::vector<char> pixels(in.width * in.height * in.channels);
  std::cin.read(pixels.data(), pixels.size());
  translator.translate(pixels.data(), in, pixels.data(), translator.output_layout(in));
  std::cout.write(pixels.data(), in.width * in.height * translator.out_channels());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
