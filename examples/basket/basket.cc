// SPDX-License-Identifier: MIT
#include "basket.h"

#include <stdexcept>

void Basket::Add(const std::string& article, int64_t price, int count) {
  Line& line = lines_[article];
  line.price = price;
  line.count += count;
}

void Basket::Remove(const std::string& article, int count) {
  const auto line = lines_.find(article);
  if (line == lines_.end() || line->second.count < count) throw std::out_of_range("not in the basket: " + article);
  line->second.count -= count;
  if (line->second.count == 0) lines_.erase(line);
}

int64_t Basket::Total() const {
  int64_t total = 0;
  for (const auto& [article, line] : lines_) total += line.price * line.count;
  return total;
}

std::chrono::milliseconds AnswerTime(uint64_t attempt) {
  const uint64_t mixed = (attempt + 1) * 0x9E3779B97F4A7C15u;
  return std::chrono::milliseconds(mixed >> 61 >= 6 ? 180 : 20);
}
