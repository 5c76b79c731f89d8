// SPDX-License-Identifier: MIT
#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/status_line.h"
#include "cli/session.h"
#include "history/masked.h"
#include "settings/suggestions.h"
#include "stores/error.h"
#include "stores/location.h"

namespace flaky {
namespace {

constexpr char kVersion[] = "flaky " FLAKY_VERSION;

constexpr struct {
  std::string_view name;
  void (*add)(CLI::App& app, Session& session);
} kCommands[] = {
    {"deliver", AddDeliver},
    {"runs", AddRuns},
    {"tests", AddTests},
    {"show", AddShow},
    {"check", AddCheck},
    {"trend", AddTrend},
    {"migrate-store", AddMigrateStore},
    {"verify", AddVerify},
    {"dual", AddDual},
    {"export", AddExport},
    {"import", AddImport},
    {"schema", AddSchema},
    {"config", AddConfig},
    {"doctor", AddDoctor},
};

// Adds all commands, or only the one of that name: describing all of them takes longer than a small delivery.
void AddCommands(CLI::App& app, Session& session, const RunRequest& run, std::string_view only) {
  const bool all = std::ranges::none_of(kCommands, [&](const auto& command) { return command.name == only; });
  if (all) AddRun(app, session, run);
  for (const auto& [name, add] : kCommands) {
    if (all || name == only) add(app, session);
  }
}

// The command that was being parsed, for `flaky schema --help`.
const CLI::App& Innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : Innermost(*chosen.front());
}

// Returns an argument that was not understood, in the form in which it may be shown: a misspelt address may contain a
// secret anywhere.
std::string Quoted(const std::string& argument) {
  const size_t word = std::min(argument.find_first_not_of('-'), argument.size());
  return LooksLikeAddress(argument.substr(word)) ? "(an address, not shown)" : "`" + argument + "`";
}

// What is wrong with the arguments, in one sentence and with the way to the help.
std::string Explain(const CLI::ParseError& error, const CLI::App& app) {
  // What was not understood in front of a command is not the command's.
  const CLI::App& command = app.remaining(false).empty() ? Innermost(app) : app;
  const std::vector<std::string> rest = app.remaining(true);
  std::vector<std::string> commands;
  for (const CLI::App* known : command.get_subcommands({})) commands.push_back(known->get_name());
  std::string text = error.what();
  if (!rest.empty() && rest.front().starts_with('-')) {
    std::vector<std::string> options;
    for (const CLI::Option* option : command.get_options()) options.push_back("--" + option->get_single_name());
    text = "unknown option " + Quoted(rest.front()) + DidYouMean(rest.front(), options);
  } else if (!rest.empty() && !commands.empty()) {
    text = "unknown command " + Quoted(rest.front()) + DidYouMean(rest.front(), commands);
  } else if (!rest.empty()) {
    text = "unexpected argument " + Quoted(rest.front());
  } else if (!commands.empty()) {
    text = "missing command";
  }
  return text + " (see " + FullName(command) + " --help)";
}

// Returns the arguments in CLI11's order, the last one first. CLI11 would take the word after `--name=` as the value,
// so the empty value is passed separately.
std::vector<std::string> Reversed(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      arguments.emplace_back();
      argument.pop_back();
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

// Returns the number of this program's own arguments: the command of `run` and its arguments are not parsed.
int OwnArguments(int argc, const char* const* argv, std::vector<std::string>& command) {
  if (argc < 2 || std::string_view(argv[1]) != "run") return argc;
  int own = 2;
  while (own < argc && argv[own][0] == '-' && std::string_view(argv[own]) != "--") ++own;
  const int first = own < argc && std::string_view(argv[own]) == "--" ? own + 1 : own;
  for (int i = first; i < argc; ++i) command.emplace_back(argv[i]);
  return own;
}

// Returns true for a command that a test program starts: what it prints ends up between the results of the tests.
bool IsInBackground(const CLI::App& command) {
  return command.get_name() == "deliver" && (command.count("--quiet") > 0 || command.count("--after-ctest") > 0);
}

// Says once that a project's file is left out, and what is unusual in the settings. The doctor lists both as findings,
// `config` lists the settings, and the recorder has a warning for what concerns its test program.
void ReportLeftOut(const Session& session, const CLI::App& command) {
  if (command.get_name() == "doctor") return;
  const LogLevel level = IsInBackground(command) ? LogLevel::kDebug : LogLevel::kWarn;
  if (!session.left_out.empty()) Log(session.log, level, session.left_out);
  if (command.get_name() == "config") {
    if (const std::string note = session.settings.Unwrapped(); !note.empty()) Log(session.log, level, note);
    return;
  }
  for (const std::string& note : NotesOnSettings(session)) Log(session.log, level, note);
}

// Messages about arguments repeat them. What is shown of an address is not kept out.
void KeepArgumentsSecret(int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  const std::vector<std::string> masked = MaskedArguments(arguments);
  for (size_t at = 1; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (masked[at] != argument) {
      KeepPartsOutOfMessages(argument);
      KeepOutOfMessages(std::string_view(argument).substr(masked[at].size() - std::string_view("***").size()));
    }
    const bool is_flag = argument.starts_with("--") && argument.find('=') != argument.npos;
    const size_t dashes = std::min(argument.find_first_not_of('-'), argument.size());
    const std::string text = argument.substr(is_flag ? argument.find('=') + 1 : dashes);
    if (!LooksLikeAddress(text)) continue;
    try {
      ParseLocation(text);
    } catch (const StoreError&) {
      KeepOutOfMessages(text);
    }
  }
}

int Fail(const Session& session, ExitCode code, const std::string& what) {
  Log(session.log, LogLevel::kError, what);
  return static_cast<int>(code);
}

}  // namespace

void DescribeProgram(CLI::App& app, Session& session, const RunRequest& run, std::string_view only) {
  app.name("flaky");
  app.description("Keeps the history of GoogleTest runs and tells flaky tests from broken ones.");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", kVersion, "print the version");
  AddFooter(app, {"Run `flaky COMMAND --help` for details of a command, and `flaky config` to see all settings."},
            {"flaky runs", "flaky check"});
  app.require_subcommand(0, 1);
  AddCommands(app, session, run, only);
}

int RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err, bool terminal, bool color) {
  StatusLine messages(err);
  ForgetKnownSecrets();
  KeepArgumentsSecret(argc, argv);
  Session session{.settings = {}, .out = out, .err = messages, .terminal = terminal, .color = color};
  RunRequest run;
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    out << kVersion << '\n';
    return static_cast<int>(ExitCode::kOk);
  }
  try {
    CLI::App app;
    DescribeProgram(app, session, run, argc < 2 ? "" : argv[1]);
    app.parse_complete_callback([&] {
      const auto chosen = app.get_subcommands();
      try {
        LoadSettings(session);
        if (!chosen.empty()) ReportLeftOut(session, *chosen.front());
      } catch (const SettingError& error) {
        // The command is run whatever is wrong with the settings of its history, and the doctor says what it is.
        const std::string command = chosen.empty() ? "" : chosen.front()->get_name();
        if (command != "run" && command != "doctor") throw;
        run.settings_problem = error.what();
      }
    });
    if (argc < 2) {
      session.err.Print(app.help());
      return static_cast<int>(ExitCode::kUsage);
    }
    try {
      app.parse(Reversed(OwnArguments(argc, argv, run.command), argv));
    } catch (const CLI::CallForVersion& version) {
      out << version.what() << '\n';
    } catch (const CLI::CallForHelp&) {
      out << Innermost(app).help();
    } catch (const CLI::ParseError& error) {
      return Fail(session, ExitCode::kUsage, Explain(error, app));
    }
    return static_cast<int>(session.exit_code);
  } catch (const StoreError& error) {
    // Ctrl-C ends the waiting for a store that does not answer.
    if (error.kind() == ErrorKind::kTransient && InterruptGuard::SeenByLast()) {
      return Fail(session, ExitCode::kInterrupted,
                  std::string(error.what()) + "; interrupted: run the same command again to go on");
    }
    return Fail(session, ExitCodeOf(error), error.what());
  } catch (const SettingError& error) {
    return Fail(session, ExitCode::kUsage, error.what());
  } catch (const CommandError& error) {
    return Fail(session, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(session, ExitCode::kUsage, "out of memory");
  } catch (const std::exception& error) {
    return Fail(session, ExitCode::kUsage, error.what());
  }
}

}  // namespace flaky
