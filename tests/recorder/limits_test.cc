// SPDX-License-Identifier: MIT

// Full disks, limits, and everything else that may prevent the recorder from writing. The tests end as they do without
// the recorder.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecorderLimits : public FixtureTest {
 protected:
  RecorderLimits() {
    for (const char* name : {"small", "saved"}) std::filesystem::create_directory(folder() / name);
  }

  // Makes the next fixture run with a spool on a separate file system with the given size and mount flags, and copies
  // the file system's contents to `saved` afterwards. This needs the right to mount: root, or a user name space.
  void OnAFileSystemOf(const std::string& size, unsigned long flags = 0) {
    const std::filesystem::path small = folder() / "small", saved = folder() / "saved";
    env["FLAKY_TESTS_SPOOL"] = small.string();
    in_child = [=] {
      const std::string options = "size=" + size;
      const uid_t user = getuid();
      if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) Stop("unshare");
        std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
      }
      if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) Stop("mount --make-rprivate /");
      if (mount("tmpfs", small.c_str(), "tmpfs", flags, options.c_str()) != 0) Stop("mount -t tmpfs");
      const pid_t fixture = fork();
      if (fixture < 0) Stop("fork");
      if (fixture == 0) return;  // and execute it
      int status = 0;
      waitpid(fixture, &status, 0);
      std::error_code error;
      std::filesystem::copy(small, saved, std::filesystem::copy_options::recursive, error);
      if (error) Stop("copy");
      if (WIFSIGNALED(status)) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        kill(getpid(), WTERMSIG(status));
      }
      _exit(WEXITSTATUS(status));
    };
  }

  std::vector<Recorded> Saved() const {
    std::vector<Recorded> journals;
    for (const auto& entry : std::filesystem::directory_iterator(folder() / "saved")) {
      if (entry.is_regular_file()) journals.push_back(Read(entry.path()));
    }
    return journals;
  }

 private:
  [[noreturn]] static void Stop(const char* what) {
    std::fprintf(stderr, "the test cannot mount a file system (root or user name spaces are needed): %s: %s\n", what,
                 std::strerror(errno));
    _exit(126);
  }
};

TEST_F(RecorderLimits, OnAFullDiskTheTextIsLostWithAWarning) {
  const Outcome plain = Run("behaviours_plain", {"--gtest_filter=Text.FiveMegabytes:Plain.Passes:Plain.Fails"});
  OnAFileSystemOf("64k");
  env["FLAKY_TESTS_MAX_MESSAGE"] = "1000000";
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Text.FiveMegabytes:Plain.Passes:Plain.Fails"});
  EXPECT_EQ(outcome.status, plain.status) << outcome.err;
  EXPECT_EQ(WithoutTimes(outcome.out), WithoutTimes(plain.out));
  const std::vector<Recorded> journals = Saved();
  ASSERT_EQ(journals.size(), 1u);
  // These come first in the source, so they are recorded in full.
  EXPECT_EQ(journals[0].OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journals[0].OutcomeOf("Plain.Fails"), "failed");
  EXPECT_THAT(journals[0].MessagesOf("Text.FiveMegabytes"), ElementsAre("(not recorded: No space left on device)"));
  EXPECT_EQ(journals[0].OutcomeOf("Text.FiveMegabytes"), "failed");
  EXPECT_EQ(journals[0].Lost(), "No space left on device");
  EXPECT_EQ(journals[0].End(), false);
  EXPECT_THAT(outcome.err, HasSubstr("flaky: the recording is incomplete: No space left on device"));
}

TEST_F(RecorderLimits, ManyTestsOnASmallDiskAreRecordedUntilItIsFull) {
  OnAFileSystemOf("128k");
  env["MANY_TESTS"] = "20000";
  const Outcome outcome = Run("many_tests", {"--gtest_brief=1"});
  EXPECT_EQ(ExitStatus(outcome), 0) << outcome.err;
  const std::vector<Recorded> journals = Saved();
  ASSERT_EQ(journals.size(), 1u);
  EXPECT_GT(journals[0].file_size, 120u * 1024) << "all of the space is used";
  EXPECT_EQ(journals[0].Lost(), "No space left on device");
  EXPECT_EQ(journals[0].End(), true);
  EXPECT_FALSE(journals[0].unfinished);
}

TEST_F(RecorderLimits, AFullDiskRecordsNothing) {
  OnAFileSystemOf("4k");
  std::function<void()> mount = in_child;
  in_child = [this, mount] {
    mount();
    std::ofstream(folder() / "small" / "filler") << std::string(4096, 'x');
  };
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_EQ(ExitStatus(outcome), 0) << outcome.err;
  EXPECT_EQ(outcome.err,
            "flaky: nothing is recorded: No space left on device: " + (folder() / "small").string() + "\n");
  std::filesystem::remove(folder() / "saved" / "filler");
  EXPECT_THAT(Saved(), IsEmpty());
}

TEST_F(RecorderLimits, AReadOnlySpoolRecordsNothing) {
  OnAFileSystemOf("64k", MS_RDONLY);
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Fails"});
  EXPECT_EQ(ExitStatus(outcome), 1);
  EXPECT_EQ(outcome.err, "flaky: nothing is recorded: Read-only file system: " + (folder() / "small").string() + "\n");
}

TEST_F(RecorderLimits, AFileInPlaceOfTheSpoolRecordsNothing) {
  std::ofstream(spool()) << "mine";
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_EQ(ExitStatus(outcome), 0);
  EXPECT_EQ(outcome.err, "flaky: nothing is recorded: Not a directory: " + spool().string() + "\n");
  EXPECT_EQ(std::filesystem::file_size(spool()), 4u);
}

TEST_F(RecorderLimits, ClosedAndReusedDescriptorsAreLeftAlone) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Descriptors.*")), 1);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Descriptors.ClosedAndReused"), "passed");
  EXPECT_THAT(journal.MessagesOf("Descriptors.Next"), ElementsAre(HasSubstr("after the descriptors were closed")));
  EXPECT_EQ(journal.End(), false);
  for (int copy = 0; copy < 8; ++copy) {
    EXPECT_EQ(std::filesystem::file_size(folder() / ("mine" + std::to_string(copy))), 4u);
  }
}

TEST_F(RecorderLimits, ATestThatForbidsFilesToGrowIsNotKilled) {
  ExpectSameAsPlain("Limits.NoFileMayGrow:Limits.Next", {}, WarningIs::kDue);
  const Recorded journal = TheJournal();
  EXPECT_THAT(journal.MessagesOf("Limits.NoFileMayGrow"), ElementsAre("(not recorded: File too large (RLIMIT_FSIZE))"));
  EXPECT_EQ(journal.Lost(), "File too large (RLIMIT_FSIZE)");
  EXPECT_EQ(journal.End(), false);
}

TEST_F(RecorderLimits, AProgramThatMayWriteNoFileRecordsNothing) {
  in_child = [] {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_FSIZE, &none);
  };
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_EQ(ExitStatus(outcome), 0);
  EXPECT_THAT(outcome.err, HasSubstr("flaky: nothing is recorded: File too large (RLIMIT_FSIZE): "));
  EXPECT_THAT(Journals(), IsEmpty());
}

TEST_F(RecorderLimits, StderrThatMayNotGrowKillsNothing) {
  in_child = [this] {
    const int file = open((folder() / "stderr").c_str(), O_CREAT | O_WRONLY, 0600);
    dup2(file, STDERR_FILENO);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_FSIZE, &none);
  };
  EXPECT_EQ(ExitStatus(Run("behaviours", {"--gtest_filter=Plain.Passes"})), 0);
}

TEST_F(RecorderLimits, StderrWithoutAReaderKillsNothing) {
  env["FLAKY_TESTS_SPOOL"] = "/dev/null";
  in_child = [] {
    int ends[2];
    if (pipe(ends) != 0) _exit(126);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
  };
  EXPECT_EQ(ExitStatus(Run("behaviours", {"--gtest_filter=Plain.Passes"})), 0);
}

TEST_F(RecorderLimits, WithoutDescriptorsTheTextIsLostAndTheRestIsKept) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors itself";
  ExpectSameAsPlain("Limits.NoDescriptors:Limits.Next:Plain.Passes", {}, WarningIs::kDue);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Limits.NoDescriptors"), "failed");
  EXPECT_EQ(journal.Lost(), "Too many open files");
  EXPECT_EQ(journal.End(), false);
}

TEST_F(RecorderLimits, ErrnoIsAsWithoutTheRecorder) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors itself";
  EXPECT_THAT(ExpectSameAsPlain("Limits.ErrnoAfterAFailure", {}, WarningIs::kDue).out, HasSubstr("errno 77\n"));
}

TEST_F(RecorderLimits, WithoutMemoryTheTestsEndAsWithoutTheRecorder) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs all the address space itself";
  ExpectSameAsPlain("Limits.NoMemory:Limits.Next");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Limits.NoMemory"), "failed");
  EXPECT_EQ(journal.End(), false);
}

}  // namespace
}  // namespace flaky
