// write_one_run LOCATION RUN_ID: waits until standard input ends, then opens the store for writing and writes one run.
// For tests with many concurrent processes.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "stores/open.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  char ignored;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  try {
    const auto store = flaky::OpenStore(flaky::ParseLocation(argv[1]), flaky::OpenMode::kWrite);
    flaky::RunRecord record;
    record.run.run_id = argv[2];
    store->Write({&record, 1});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
