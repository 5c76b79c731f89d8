// SPDX-License-Identifier: MIT
#include "tests/stores/mistyped_literals.h"

namespace flaky {

const std::vector<Literal>& Literals() {
  using Type = Literal::Type;
  static const auto may = Timestamp::Parse("2026-05-05T01:02:03.004Z");
  static const std::vector<Literal> literals = {
      {"NULL", Type::kNull, ""},
      {"0", Type::kInteger, "0", 0, false},
      {"1", Type::kInteger, "1", 1, true},
      {"20260101", Type::kInteger, "20260101", 20260101, true},
      {"-9223372036854775807 - 1", Type::kInteger, "-9223372036854775808", INT64_MIN, true},
      {"0.0", Type::kReal, "0.0", 0, false},
      {"2.5", Type::kReal, "2.5", 3, true},
      {"-0.4", Type::kReal, "-0.4", 0, true},
      {"1e15", Type::kReal, "1.0e+15", 1'000'000'000'000'000, true},
      {"9223372036854775807.0", Type::kReal, "9.22337203685478e+18", std::nullopt, true},
      {"9e999", Type::kReal, "Inf", std::nullopt, true},
      {"''", Type::kText, ""},
      {"'7'", Type::kText, "7"},
      {"'yesterday'", Type::kText, "yesterday"},
      {"'Z'", Type::kText, "Z"},
      {"'2026-05-05T01:02:03.004Z'", Type::kText, "2026-05-05T01:02:03.004Z", std::nullopt, std::nullopt, may},
      {"'2026-05-05T01:02:03.004ZZ'", Type::kText, "2026-05-05T01:02:03.004ZZ"},
      {"x''", Type::kBlob, ""},
      {"x'616263'", Type::kBlob, "abc"},
      {"x'ff1b00fe41'", Type::kBlob,
       std::string("\xff\x1b\0\xfe"
                   "A",
                   5)},
      {"CAST('2026-05-05T01:02:03.004Z' AS BLOB)", Type::kBlob, "2026-05-05T01:02:03.004Z", std::nullopt, std::nullopt,
       may},
  };
  return literals;
}

std::string IdOfLiteral(size_t literal) { return "value-" + std::to_string(literal); }

std::string CaseOfRuns() {
  std::string sql = "CASE run_id";
  for (size_t i = 0; i < Literals().size(); ++i) sql += " WHEN '" + IdOfLiteral(i) + "' THEN " + Literals()[i].sql;
  return sql + " END";
}

}  // namespace flaky
