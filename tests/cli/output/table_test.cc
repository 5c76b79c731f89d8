#include "cli/output/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace flaky {
namespace {

std::string Text(const Table& table, bool color = false) {
  std::ostringstream out;
  table.Print(out, color);
  return out.str();
}

TEST(TableTest, AlignsColumns) {
  Table table({{.title = "NAME"}, {.title = "COUNT", .align = Align::kRight}, {.title = "NOTE"}});
  table.Add({"a", "1", "short"});
  table.Add({"longer name", "12345678", ""});
  EXPECT_EQ(Text(table),
            "NAME            COUNT  NOTE\n"
            "a                   1  short\n"
            "longer name  12345678\n");
}

TEST(TableTest, AlignsByColumnsOfTheTerminalNotBytes) {
  Table table({{.title = "N"}, {.title = "X"}});
  table.Add({"日本", "1"});
  table.Add({"äö", "2"});
  table.Add({"abcd", "3"});
  EXPECT_EQ(Text(table), "N     X\n日本  1\näö    2\nabcd  3\n");
}

TEST(TableTest, EscapesAndCutsCells) {
  Table table({{.title = "N", .max_width = 6}, {.title = "X"}});
  table.Add({"a\n\x1b[1mbcdef", "1"});
  EXPECT_EQ(Text(table), "N       X\na\\n\\x…  1\n");
}

TEST(TableTest, ColorsOnlyIfAsked) {
  Table table({{.title = "S", .align = Align::kRight}, {.title = "X"}});
  table.Add({{"fail", Style::kBad}, "1"});
  table.Add({{"ok", Style::kGood}, "2"});
  EXPECT_EQ(Text(table), "   S  X\nfail  1\n  ok  2\n");
  EXPECT_EQ(Text(table, true), "   S  X\n\x1b[31mfail\x1b[0m  1\n  \x1b[32mok\x1b[0m  2\n") << "colour has no width";
}

TEST(TableTest, WithoutRowsItPrintsItsTitles) { EXPECT_EQ(Text(Table({{.title = "A"}, {.title = "B"}})), "A  B\n"); }

}  // namespace
}  // namespace flaky
