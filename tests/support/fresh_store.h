#ifndef FLAKY_TESTS_SUPPORT_FRESH_STORE_H_
#define FLAKY_TESTS_SUPPORT_FRESH_STORE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "stores/open.h"
#include "tests/servers/rows.h"

namespace flaky {

// Ends a server as a crash would, and starts it again with its data, at the same port of 127.0.0.1. Empty where a store
// has none.
struct ServerControl {
  std::function<void()> kill = {}, restart = {};
  int port = 0;

  template <typename Server>
  static ServerControl Of(Server& server) {
    return {[&server] { server.Kill(); }, [&server] { server.Restart(); }, server.port()};
  }
};

// A place without any history for one of the program's stores, gone with the object. What a store that lives on a
// server needs of it is shared by the tests of a process, so of each kind there is one at a time.
struct FreshStore {
  std::string store;       // FLAKY_TESTS_STORE
  std::string connection;  // FLAKY_TESTS_CONNECTION_STRING
  // Asks the database itself, without the store: one statement, given by the test's own text.
  std::function<Rows(const std::string& sql)> query;
  std::shared_ptr<void> place;
  ServerControl server = {};
  std::string token = {};  // FLAKY_TESTS_AUTH_TOKEN

  std::unique_ptr<Store> Open(OpenMode mode) const {
    Location location = ParseLocation(store + ":" + connection);
    location.token = Secret(token);
    return OpenStore(location, mode);
  }
};

// A store that this build has, for tests that run over all of them.
struct StoreKind {
  std::string name;  // as in FreshStore::store
  FreshStore (*make)();
};
inline std::ostream& operator<<(std::ostream& out, const StoreKind& kind) { return out << kind.name; }
const std::vector<StoreKind>& StoreKinds();

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_FRESH_STORE_H_
