#include "core/word_list.h"

#include <sstream>

namespace torsor {

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    std::erase(word, ' ');
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

}  // namespace torsor
