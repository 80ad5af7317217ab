// mat MODEL WIDTH HEIGHT < in.bgr > out.bgr
#include <torsor/opencv.h>

#include <cstdlib>
#include <iostream>

int main(int count, char** words) try {
  if (count != 4 || std::atoi(words[2]) < 1 || std::atoi(words[3]) < 1) {
    std::cerr << "usage: mat MODEL WIDTH HEIGHT < in.bgr > out.bgr\n";
    return 2;
  }
  const torsor::Translator translator(words[1]);
  cv::Mat image(std::atoi(words[3]), std::atoi(words[2]), CV_8UC3);  // or cv::imread(...)
  if (!std::cin.read(image.ptr<char>(), image.total() * image.elemSize()))
    throw torsor::Error("standard input ends early");
  const cv::Mat fake = torsor::translate(translator, image);
  std::cout.write(fake.ptr<char>(), fake.total() * fake.elemSize());
} catch (const torsor::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
