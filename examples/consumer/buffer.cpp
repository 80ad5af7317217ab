// buffer MODEL WIDTH HEIGHT < in.rgb > out.rgb
#include <torsor/translator.h>

#include <cstdlib>
#include <iostream>
#include <vector>

int main(int count, char** words) try {
  if (count != 4 || std::atoi(words[2]) < 1 || std::atoi(words[3]) < 1) {
    std::cerr << "usage: buffer MODEL WIDTH HEIGHT < in.rgb > out.rgb\n";
    return 2;
  }
  const torsor::Translator translator(words[1]);
  const torsor::PixelLayout in{std::atoi(words[2]), std::atoi(words[3])};  // RGB, a byte each
  std::vector<char> pixels(in.width * in.height * in.channels);
  if (!std::cin.read(pixels.data(), pixels.size())) throw torsor::Error("standard input ends early");
  translator.translate(pixels.data(), in, pixels.data(), translator.output_layout(in));
  std::cout.write(pixels.data(), in.width * in.height * translator.out_channels());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
