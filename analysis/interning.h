// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_INTERNING_H_
#define FLAKY_ANALYSIS_INTERNING_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flaky {

inline uint64_t HashOf(std::string_view text) { return std::hash<std::string_view>()(text); }

// Returns equal numbers for equal texts, from 0 on, and keeps each text once.
class Interner {
 public:
  uint32_t Intern(std::string_view text) {
    const auto [place, fresh] = numbers_.try_emplace(HashOf(text), static_cast<uint32_t>(ends_.size()));
    if (fresh) {
      texts_.append(text);
      ends_.push_back(texts_.size());
    }
    return place->second;
  }

  std::string_view operator[](uint32_t number) const {
    const size_t begin = number == 0 ? 0 : ends_[number - 1];
    return std::string_view(texts_).substr(begin, ends_[number] - begin);
  }

  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }

 private:
  std::unordered_map<uint64_t, uint32_t> numbers_;  // by hash; 2^64 leaves no collision to fear among 10^6 texts
  std::string texts_;
  std::vector<size_t> ends_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_INTERNING_H_
