// Copies the history of one store to another and prints its progress: copy_history sqlite:old.db sqlite:new.db

#include <exception>
#include <iostream>

#include "stores/open.h"
#include "transfer/copy.h"

class ShownProgress : public flaky::Progress {
 public:
  void Update(const flaky::CopyProgress& at) override { std::cout << at.runs << " of " << at.total_runs << " runs\n"; }
  void Done(const flaky::CopyProgress& at) override { Update(at); }
};

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const auto from = flaky::OpenStore(flaky::ParseLocation(argv[1]), flaky::OpenMode::kRead);
  const auto to = flaky::OpenStore(flaky::ParseLocation(argv[2]), flaky::OpenMode::kBulk);
  flaky::StoreSource source(*from);
  flaky::StoreSink sink(*to);
  ShownProgress progress;
  const flaky::CopySummary summary = flaky::Copy(source, sink, {}, progress);
  std::cout << summary.copied << " copied, " << (summary.Verified() ? "verified" : "verification failed") << '\n';
  return summary.Verified() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
