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

// What tests of copies between real stores, made by the real program in processes of its own, have in common. Needs all
// stores.
namespace flaky {

// A program that runs, with what it writes kept in files. One that still runs at the end of the scope is killed.
class RunningProgram {
 public:
  // `environment`: variables ("NAME=value") besides those of this process; `files`: how the files' paths begin.
  RunningProgram(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                 std::string files);
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void Signal(int signal) const;
  bool Runs();
  // What it came to; the code is -N where signal N ended it.
  Outcome Wait();
  // What it wrote to stderr so far.
  std::string Err() const;

 private:
  const std::string files_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// The stores, as a location's scheme has them, and "jsonl": a file that is written by export and read by import.
struct Pair {
  std::string source, target;
  std::string Name() const { return source + " to " + target; }
};
// Every ordered pair but from a file to a file.
std::vector<Pair> AllPairs();

// 1,500 runs over 90 days with failures, rosters and some in the npm packages' form; the same in every process.
const std::vector<RunRecord>& GeneratedHistory();
const RunDigests& GeneratedContents();
// A few more, of other ids, from the same days.
std::vector<RunRecord> OtherHistory(uint64_t seed, int64_t runs);

// A place of a kind that holds the generated history, made when first asked for; nobody writes to it.
struct FilledPlace {
  std::string location;       // the file for "jsonl"
  ServerControl server = {};  // that it is on
};
const FilledPlace& Filled(const std::string& kind);

// An empty place of a kind to copy into. One of each kind at a time.
class EmptyPlace {
 public:
  // `file` is where a place without a server is, and is not there.
  EmptyPlace(const std::string& kind, const std::string& file);

  const std::string& kind() const { return kind_; }
  const std::string& location() const { return location_; }
  bool is_file() const { return kind_ == "jsonl"; }
  const FreshStore& store() const { return *store_; }  // not for files
  // Nothing where there is no such place, or no tables in it yet.
  RunDigests Now() const;
  // How many parts and failures the tables have of runs that they do not have; 0 for files. Precondition: there are
  // tables.
  int64_t Orphans() const;
  // The names of all indexes in the database; empty for files.
  std::vector<std::string> Indexes() const;

 private:
  std::string kind_;
  std::optional<FreshStore> store_;
  std::string location_;
};

// The location with the server at another port: a proxy's.
std::string AtPort(const std::string& location, int port);

class CopyTest : public ProgramTest {
 protected:
  static constexpr int64_t kBatch = 100;

  CopyTest();
  ~CopyTest() override;

  // The path of something that is not there yet.
  std::string NewPath(const std::string& name) { return Path(std::to_string(++made_) + "-" + name); }
  EmptyPlace NewPlace(const std::string& kind) { return {kind, NewPath(kind)}; }

  // `flaky ARGUMENTS…` in a process of its own.
  std::unique_ptr<RunningProgram> Start(std::vector<std::string> arguments,
                                        const std::vector<std::string>& environment = {});
  Outcome Flaky(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
    return Start(arguments, environment)->Wait();
  }

  // The command that copies from one location to the other, in many batches.
  static std::vector<std::string> CopyCommand(const Pair& pair, const std::string& from, const std::string& to,
                                              const std::vector<std::string>& more = {}, int64_t batch = kBatch);

  // That the place holds nothing but whole runs of these, and how many of them it lacks.
  static int64_t Missing(const RunDigests& wanted, const RunDigests& there);

  // That `flaky verify` finds both stores the same.
  void ExpectVerified(const std::string& source, const std::string& target);
  // That the store has nothing to catch up with, and nobody is copying into it.
  void ExpectInOrder(const EmptyPlace& place);

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  int made_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_COPY_FIXTURE_H_
