// Notes about many images, once for each kind.
#include "data/note_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torsor {
namespace {

using ::testing::ElementsAre;

TEST(NoteCount, SaysAKindOnce) {
  NoteCount notes;
  EXPECT_TRUE(notes.lines().empty());
  notes.add("a.tif", "float samples scaled from 0.5..1.25 to 0..255");
  notes.add("b.jpg", "its colour profile is not used");
  notes.add("c.tif", "float samples scaled from 0..17 to 0..255");
  EXPECT_THAT(notes.lines(),
              ElementsAre("2 images: float samples scaled from 0.5..1.25 to 0..255 (the first: a.tif)",
                          "b.jpg: its colour profile is not used"));
}

TEST(NoteCount, TakesThoseOfOthers) {
  NoteCount first, second;
  first.add("a", "odd");
  second.add("b", "odd");
  second.add("c", "other");
  first.add(second);
  EXPECT_THAT(first.lines(), ElementsAre("2 images: odd (the first: a)", "c: other"));
}

}  // namespace
}  // namespace torsor
