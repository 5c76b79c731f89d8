// `make_pages FOLDER` writes the man pages and the shells' completions, made from the program's own commands and
// settings. The man pages go to FOLDER/man1.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/completions.h"
#include "cli/man_page.h"
#include "cli/output/status_line.h"
#include "cli/program.h"
#include "cli/session.h"

namespace flaky {
namespace {

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text << std::flush;
  if (!stream) throw std::runtime_error("cannot write " + file.string());
}

void WritePages(const std::filesystem::path& folder) {
  StatusLine messages(std::cerr);
  Session session{.settings = {}, .out = std::cout, .err = messages};
  CLI::App app;
  const RunRequest nothing;
  DescribeProgram(app, session, nothing);
  const std::vector<CommandHelp> commands = DescribeCommands(app);
  const std::filesystem::path man = folder / "man1";
  std::filesystem::remove_all(man);  // a page of a command that is gone must not be installed
  std::filesystem::create_directories(man);
  WriteFile(man / "flaky.1", ProgramManPage(commands, SettingTable(), kExitCodes, FLAKY_VERSION));
  for (const CommandHelp& command : std::span(commands).subspan(1)) {
    WriteFile(man / (ManPageName(command) + ".1"), CommandManPage(command, FLAKY_VERSION));
  }
  WriteFile(folder / "flaky.bash", BashCompletion(commands));
  WriteFile(folder / "flaky.zsh", ZshCompletion(commands));
  WriteFile(folder / "flaky.fish", FishCompletion(commands));
}

}  // namespace
}  // namespace flaky

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_pages FOLDER\n";
    return 2;
  }
  try {
    flaky::WritePages(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "make_pages: " << error.what() << '\n';
    return 1;
  }
}
