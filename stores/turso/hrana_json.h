// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_JSON_H_
#define FLAKY_STORES_TURSO_HRANA_JSON_H_

#include <simdjson.h>

#include <deque>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "stores/turso/hrana_error.h"
#include "stores/turso/hrana_value.h"

// What the parsers of Hrana's answers share. All functions throw MalformedAnswer for anything that the protocol does
// not allow, for example null in place of a text. Call them within Guarded.
namespace flaky::turso {

// Calls `work`, in which simdjson's own exceptions mean that the answer is malformed.
template <typename Work>
auto Guarded(Work&& work) {
  try {
    return work();
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    throw MalformedAnswer();
  }
}

// Parses in place: reserves the space after the text that the parser needs.
simdjson::dom::element ParseInPlace(simdjson::dom::parser& parser, std::string& text);

// The bytes of blobs.
using HranaTexts = std::deque<std::string>;

// Appends the values of a row of `width` cells. Texts live as long as the parser's document, or in `texts`.
void AppendRow(simdjson::dom::array row, size_t width, std::vector<HranaValue>& values, HranaTexts& texts);

HranaError HranaErrorOf(simdjson::dom::element error);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_JSON_H_
