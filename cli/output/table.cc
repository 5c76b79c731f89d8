// SPDX-License-Identifier: MIT
#include "cli/output/table.h"

#include <algorithm>
#include <ostream>

#include "cli/output/escaped.h"

namespace flaky {

std::string Styled(const std::string& text, Style style, bool color) {
  if (!color || style == Style::kPlain) return text;
  return (style == Style::kGood ? "\x1b[32m" : "\x1b[31m") + text + "\x1b[0m";
}

void Table::Add(std::vector<Cell> row) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    row[i].text = Escaped(row[i].text);
    if (columns_[i].max_width > 0) row[i].text = CutToWidth(row[i].text, columns_[i].max_width);
  }
  rows_.push_back(std::move(row));
}

void Table::Print(std::ostream& out, bool color) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
    widths.push_back(width);
  }
  const auto print_row = [&](const std::vector<Cell>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i].text), ' ');
      const std::string text = Styled(row[i].text, row[i].style, color);
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + text : text + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title);
  print_row(titles);
  for (const auto& row : rows_) print_row(row);
}

}  // namespace flaky
