#ifndef FLAKY_STORES_SCHEMES_H_
#define FLAKY_STORES_SCHEMES_H_

#include <span>
#include <string_view>

// What the program knows about each kind of store without its driver: how its locations look, and how it differs from
// other stores in settings, help and advice. This is the only place that knows the stores by name: all other code reads
// the fields of SchemeInfo.
namespace flaky {

struct SchemeInfo {
  std::string_view name;          // "sqlite": the beginning of a location, and a value of FLAKY_TESTS_STORE
  std::string_view address_form;  // "sqlite:PATH", for help and errors

  // The schemes of URLs that name this store without `NAME:` in front of them.
  std::span<const std::string_view> url_schemes = {};
  bool takes_http_urls = false;  // `NAME:https://…` is an address; `https://…` alone names this store only if
                                 // url_schemes has it
  bool is_file = false;          // the address is the path of a file
  bool needs_address = true;     // false: the client library has a default for everything
  bool takes_token = false;      // it reads Location::token
  bool uses_libpq = false;       // the address is what libpq takes: a URI or `keyword=value`; libpq's files count

  // False: the store cannot make or upgrade its own tables. An administrator does so, or MigrateFromOutside
  // (stores/open.h).
  bool makes_tables = true;

  std::string_view how_to_encrypt = {};  // advice for a connection that is not encrypted
  std::string_view not_a_store = {};     // why OpenStore never has it, if it is only known as a format
};

// Returns all stores, including those that this build does not have (IsBuilt in stores/open.h). AddScheme invalidates
// the result.
std::span<const SchemeInfo> Schemes();

// Returns the store of that name, or null.
const SchemeInfo* FindScheme(std::string_view name);

// Returns the store of that name. Throws std::logic_error if there is no such store.
const SchemeInfo& SchemeOf(std::string_view name);

// For RegisterStore (stores/open.h). Replaces a store of the same name. What the views point to must live as long as
// the program.
void AddScheme(const SchemeInfo& scheme);

}  // namespace flaky

#endif  // FLAKY_STORES_SCHEMES_H_
