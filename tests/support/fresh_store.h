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

// `kill` ends a store's server as a crash would. `restart` starts it again with its data, on the same port of
// 127.0.0.1. Empty if the store has no server.
struct ServerControl {
  std::function<void()> kill = {}, restart = {};
  int port = 0;

  template <typename Server>
  static ServerControl Of(Server& server) {
    return {[&server] { server.Kill(); }, [&server] { server.Restart(); }, server.port()};
  }
};

// An empty store, deleted with the object. All tests of a process share the server of a kind of store, so at most one
// FreshStore of each kind may exist at a time.
struct FreshStore {
  std::string store;       // FLAKY_TESTS_STORE
  std::string connection;  // FLAKY_TESTS_CONNECTION_STRING
  // Queries the database directly, not through the store. Takes one SQL statement.
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

// A kind of store in this build, for tests that run with all of them.
struct StoreKind {
  std::string name;  // as in FreshStore::store
  FreshStore (*make)();
};
inline std::ostream& operator<<(std::ostream& out, const StoreKind& kind) { return out << kind.name; }
const std::vector<StoreKind>& StoreKinds();

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_FRESH_STORE_H_
