// What the terminal shows: how wide it is, how wide text is on it, text cut or wrapped to fit.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace torsor::app {

enum class Stream { output, error };

std::ostream& stream_of(Stream stream);

/// Whether the stream leads to a terminal that can redraw a line.
bool is_terminal(Stream stream);

/// Columns of the stream's terminal now; where it has none, those of the environment's COLUMNS, else 80.
std::size_t terminal_width(Stream stream);

/// Columns that the text takes on a terminal: two for a wide character, none for a combining one.
std::size_t display_width(std::string_view text);

/// The text where it takes at most `columns`, else its beginning and "...". Control characters become '?'.
std::string fit(std::string_view text, std::size_t columns);

/// The text in lines of at most `columns` where its words allow it, all but the first after `indent` spaces.
/// The last line has no end.
std::string wrap(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace torsor::app
