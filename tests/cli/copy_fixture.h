#ifndef FLAKY_TESTS_CLI_COPY_FIXTURE_H_
#define FLAKY_TESTS_CLI_COPY_FIXTURE_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"
#include "tests/support/fresh_store.h"

// Shared by the tests of copies between real stores, which run the real program in separate processes. Needs all
// stores.
namespace flaky {

// A running program whose output goes to files. It is killed if it still runs at the end of the scope.
class RunningProgram {
 public:
  // `environment`: variables ("NAME=value") in addition to those of this process; `files`: the prefix of the files'
  // paths.
  RunningProgram(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                 std::string files);
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void Signal(int signal) const;
  bool Runs();
  // Waits for its end and returns its output and exit code. The code is -N if signal N ended it.
  Outcome Wait();
  // Returns what it has written to stderr so far.
  std::string Err() const;

 private:
  const std::string files_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Each is a store, named by its location's scheme, or "jsonl": a file that export writes and import reads.
struct Pair {
  std::string source, target;
  std::string Name() const { return source + " to " + target; }
};
// Returns every ordered pair except from a file to a file.
std::vector<Pair> AllPairs();

// 1,500 runs over 90 days with failures, rosters and some in the npm packages' form; the same in every process.
const std::vector<RunRecord>& GeneratedHistory();
const RunDigests& GeneratedContents();
// Returns more runs from the same days, with other ids.
std::vector<RunRecord> OtherHistory(uint64_t seed, int64_t runs);

// A place of a kind that holds the generated history. It is made on first use, and no test writes to it.
struct FilledPlace {
  std::string location;       // the file for "jsonl"
  ServerControl server = {};  // the one it is on
};
const FilledPlace& Filled(const std::string& kind);

// An empty place of a kind to copy into. At most one of each kind exists at a time.
class EmptyPlace {
 public:
  // `file`: the path of a place without a server; nothing exists there yet.
  EmptyPlace(const std::string& kind, const std::string& file);

  const std::string& kind() const { return kind_; }
  const std::string& location() const { return location_; }
  bool is_file() const { return kind_ == "jsonl"; }
  const FreshStore& store() const { return *store_; }  // not for files
  // Returns its contents; empty if the place or its tables do not exist yet.
  RunDigests Now() const;
  // Returns how many parts and failures belong to runs that the tables do not have; 0 for files. Precondition: the
  // tables exist.
  int64_t Orphans() const;
  // Returns the names of all indexes in the database; empty for files.
  std::vector<std::string> Indexes() const;

 private:
  std::string kind_;
  std::optional<FreshStore> store_;
  std::string location_;
};

// Returns the location with the server's port replaced, such as by a proxy's.
std::string AtPort(const std::string& location, int port);

class CopyTest : public ProgramTest {
 protected:
  static constexpr int64_t kBatch = 100;

  CopyTest();
  ~CopyTest() override;

  // Returns a path at which nothing exists yet.
  std::string NewPath(const std::string& name) { return Path(std::to_string(++made_) + "-" + name); }
  EmptyPlace NewPlace(const std::string& kind) { return {kind, NewPath(kind)}; }

  // Starts `flaky ARGUMENTS…` in a separate process.
  std::unique_ptr<RunningProgram> Start(std::vector<std::string> arguments,
                                        const std::vector<std::string>& environment = {});
  Outcome Flaky(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
    return Start(arguments, environment)->Wait();
  }

  // Returns the command that copies from one location to the other, in many batches.
  static std::vector<std::string> CopyCommand(const Pair& pair, const std::string& from, const std::string& to,
                                              const std::vector<std::string>& more = {}, int64_t batch = kBatch);

  // Expects that `actual` has only runs of `expected`, each complete. Returns how many runs are missing.
  static int64_t Missing(const RunDigests& expected, const RunDigests& actual);

  // Expects that `flaky verify` finds both stores equal.
  void ExpectVerified(const std::string& source, const std::string& target);
  // Expects that the store has no pending migrations and that no copy holds its claim.
  void ExpectInOrder(const EmptyPlace& place);

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  int made_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_COPY_FIXTURE_H_
