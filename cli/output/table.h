#ifndef FLAKY_CLI_OUTPUT_TABLE_H_
#define FLAKY_CLI_OUTPUT_TABLE_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace flaky {

enum class Align { kLeft, kRight };
enum class Style { kPlain, kGood, kBad };

// Returns the text, in the colour of the style if `color` is set.
std::string Styled(const std::string& text, Style style, bool color);

struct Column {
  std::string title;
  Align align = Align::kLeft;
  size_t max_width = 0;  // longer texts are cut with `…`; 0: no limit
};

struct Cell {
  Cell(std::string cell_text, Style cell_style = Style::kPlain)  // NOLINT: a text is a cell
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT

  std::string text;
  Style style = Style::kPlain;
};

// A plain-text table: a line of titles, then the rows. Columns are as wide as their widest cell and two blanks apart.
// Cells may contain any text; it is escaped.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Precondition: one cell per column.
  void Add(std::vector<Cell> row);
  void Print(std::ostream& out, bool color) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_TABLE_H_
