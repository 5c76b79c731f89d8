#ifndef FLAKY_TESTS_STORES_MISTYPED_LITERALS_H_
#define FLAKY_TESTS_STORES_MISTYPED_LITERALS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

namespace flaky {

// A value and what each type of field reads it as.
struct Literal {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  const char* sql;
  Type type;
  std::string text;
  std::optional<int64_t> number = std::nullopt;
  std::optional<bool> boolean = std::nullopt;
  std::optional<Timestamp> time = std::nullopt;
};

// One of every kind and form.
const std::vector<Literal>& Literals();

// Sets the field of this name to what the literal is read as.
class PutLiteral {
 public:
  PutLiteral(std::string_view name, const Literal& literal) : name_(name), literal_(literal) {}

  void operator()(std::string_view name, std::string& field) {
    if (name != name_) return;
    field = literal_.text;
    is_converted = literal_.type != Type::kText;
  }
  void operator()(std::string_view name, Timestamp& field) {
    if (name != name_) return;
    field = literal_.time.value_or(Timestamp{0});
    is_converted = literal_.type != Type::kText || !literal_.time;
  }
  void operator()(std::string_view name, std::optional<std::string>& field) {
    if (name != name_) return;
    field.reset();
    if (literal_.type != Type::kNull) (*this)(name, field.emplace());
  }
  void operator()(std::string_view name, std::optional<Timestamp>& field) {
    if (name != name_) return;
    field = literal_.time;
    is_converted = literal_.type != Type::kNull && (literal_.type != Type::kText || !literal_.time);
  }
  void operator()(std::string_view name, std::optional<int64_t>& field) {
    if (name != name_) return;
    field = literal_.number;
    is_converted = literal_.type != Type::kNull && literal_.type != Type::kInteger;
  }
  void operator()(std::string_view name, std::optional<bool>& field) {
    if (name != name_) return;
    field = literal_.boolean;
    is_converted = literal_.type != Type::kNull && !(literal_.type == Type::kInteger && (*literal_.number | 1) == 1);
  }

  bool is_converted = false;

 private:
  using Type = Literal::Type;

  std::string_view name_;
  const Literal& literal_;
};

// The run that has the literal of this number.
std::string IdOfLiteral(size_t literal);

// `CASE run_id …`: each run's literal.
std::string CaseOfRuns();

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_MISTYPED_LITERALS_H_
