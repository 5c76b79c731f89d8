#ifndef BASKET_BASKET_H_
#define BASKET_BASKET_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

// A shop's basket. Prices are in cents.
class Basket {
 public:
  void Add(const std::string& article, int64_t price, int count = 1);

  // Throws std::out_of_range if there are fewer than `count`.
  void Remove(const std::string& article, int count = 1);

  int64_t Total() const;
  int Articles() const { return static_cast<int>(lines_.size()); }

 private:
  struct Line {
    int64_t price = 0;
    int count = 0;
  };
  std::map<std::string, Line> lines_;
};

// Returns how long the price service takes to answer in this attempt: usually 20 ms, in a quarter of the attempts
// longer.
std::chrono::milliseconds AnswerTime(uint64_t attempt);

#endif  // BASKET_BASKET_H_
