// mat MODEL WIDTH HEIGHT < in.bgr > out.bgr
#include <torsor/opencv.h>

#include <iostream>
#include <string>

int main(int, char** argv) try {
  const torsor::Translator translator(argv[1]);
  cv::Mat image(std::stoi(argv[3]), std::stoi(argv[2]), CV_8UC3);  // or cv::imread(...)
  std::cin.read(image.ptr<char>(), image.total() * image.elemSize());
  const cv::Mat fake = torsor::translate(translator, image);
  std::cout.write(fake.ptr<char>(), fake.total() * fake.elemSize());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
