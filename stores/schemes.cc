// SPDX-License-Identifier: MIT
#include "stores/schemes.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace flaky {
namespace {

constexpr std::string_view kPostgresUrls[] = {"postgres", "postgresql"};
constexpr std::string_view kTursoUrls[] = {"libsql", "http", "https"};
constexpr std::string_view kUseTls = "use an address that begins with libsql:// or https://";

std::vector<SchemeInfo>& Table() {
  static std::vector<SchemeInfo> table = {
      {.name = "sqlite", .address_form = "sqlite:PATH", .is_file = true},
      {.name = "postgres",
       .address_form = "postgres://USER@HOST/DATABASE",
       .url_schemes = kPostgresUrls,
       .needs_address = false,
       .uses_libpq = true,
       .how_to_encrypt = "use sslmode=verify-full in the connection string"},
      {.name = "turso",
       .address_form = "libsql://HOST",
       .url_schemes = kTursoUrls,
       .takes_http_urls = true,
       .takes_token = true,
       .how_to_encrypt = kUseTls},
      {.name = "supabase",
       .address_form = "supabase:https://PROJECT.supabase.co",
       .takes_http_urls = true,
       .takes_token = true,
       .makes_tables = false,
       .how_to_encrypt = kUseTls},
      {.name = "jsonl",
       .address_form = "jsonl:PATH",
       .is_file = true,
       .not_a_store = "a JSONL file is not a store: `flaky export` writes one and `flaky import` reads it"},
  };
  return table;
}

}  // namespace

std::span<const SchemeInfo> Schemes() { return Table(); }

const SchemeInfo* FindScheme(std::string_view name) {
  const auto found = std::ranges::find(Table(), name, &SchemeInfo::name);
  return found == Table().end() ? nullptr : &*found;
}

const SchemeInfo& SchemeOf(std::string_view name) {
  const SchemeInfo* scheme = FindScheme(name);
  if (scheme == nullptr) throw std::logic_error("no store is called '" + std::string(name) + "'");
  return *scheme;
}

void AddScheme(const SchemeInfo& scheme) {
  std::erase_if(Table(), [&](const SchemeInfo& known) { return known.name == scheme.name; });
  Table().push_back(scheme);
}

}  // namespace flaky
