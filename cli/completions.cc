// SPDX-License-Identifier: MIT
#include "cli/completions.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "history/text.h"

namespace flaky {
namespace {

// Returns the text as one word of any of the three shells.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    // Only fish reads a backslash in single quotes as an escape.
    quoted += c == '\'' ? std::string("'\\''") : c == '\\' ? std::string("'\"\\\\\"'") : std::string(1, c);
  }
  return quoted + "'";
}

// Returns the words of "keep|replace|fail"; none if the values are not a fixed set.
std::vector<std::string> ChoicesOf(const HelpEntry& option) {
  if (option.value.find('|') == std::string::npos) return {};
  std::vector<std::string> words;
  for (std::string_view rest = option.value; !rest.empty();) {
    const size_t end = std::min(rest.find('|'), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

// Returns the full names of all commands, for the pattern of a `case`.
std::string CommandPattern(std::span<const CommandHelp> commands) {
  return Join(commands.subspan(1), "|", [](const CommandHelp& command) { return Quoted(command.name); });
}

// Returns a branch of a `case` of bash or zsh for each option that takes a value. `complete` turns its choices into the
// completion; without choices, the shell completes file names.
template <typename Complete>
std::string ValueBranches(std::span<const CommandHelp> commands, const Complete& complete, std::string_view otherwise) {
  std::string branches;
  for (const CommandHelp& command : commands) {
    for (const HelpEntry& option : command.options) {
      if (option.value.empty()) continue;
      const std::string pattern =
          Join(option.names, "|", [&](const std::string& name) { return Quoted(command.name + " " + name); });
      const std::vector<std::string> choices = ChoicesOf(option);
      branches +=
          "    " + pattern + ") " + (choices.empty() ? std::string(otherwise) : complete(choices)) + "; return ;;\n";
    }
  }
  return branches;
}

}  // namespace

std::string BashCompletion(std::span<const CommandHelp> commands) {
  std::string branches;
  for (const CommandHelp& command : commands) {
    std::vector<std::string> words;
    for (const auto* entries : {&command.commands, &command.options}) {
      for (const HelpEntry& entry : *entries) words.insert(words.end(), entry.names.begin(), entry.names.end());
    }
    branches += "    " + Quoted(command.name) + ") words=" + Quoted(Join(words, " ")) + " ;;\n";
  }
  return R"(# bash completion for flaky

_flaky() {
  local current=${COMP_WORDS[COMP_CWORD]} command=flaky words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -- ]] && return
    case "$command ${COMP_WORDS[i]}" in
    )" + CommandPattern(commands) +
         R"() command+=" ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command ${COMP_WORDS[COMP_CWORD - 1]}" in
)" +
         ValueBranches(
             commands,
             [](const std::vector<std::string>& choices) {
               return "COMPREPLY=($(compgen -W " + Quoted(Join(choices, " ")) + " -- \"$current\"))";
             },
             ":") +
         R"(  esac
  case $command in
)" + branches +
         R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -o bashdefault -o default -F _flaky flaky
)";
}

std::string ZshCompletion(std::span<const CommandHelp> commands) {
  const auto described = [](const std::vector<HelpEntry>& entries) {
    std::string list;
    for (const HelpEntry& entry : entries) {
      for (const std::string& name : entry.names) list += " " + Quoted(name + ":" + entry.meaning);
    }
    return list;
  };
  std::string branches;
  for (const CommandHelp& command : commands) {
    branches += "    " + Quoted(command.name) + ")\n      commands=(" + described(command.commands) +
                " )\n      options=(" + described(command.options) + " ) ;;\n";
  }
  return R"(#compdef flaky

_flaky() {
  local command=flaky word
  local -a commands options
  for word in "${(@)words[2,CURRENT-1]}"; do
    if [[ $word == -- ]]; then
      _files
      return
    fi
    case "$command $word" in
    )" + CommandPattern(commands) +
         R"() command+=" $word" ;;
    esac
  done
  case "$command ${words[CURRENT-1]}" in
)" +
         ValueBranches(
             commands,
             [](const std::vector<std::string>& choices) { return "compadd -- " + Join(choices, " ", Quoted); },
             "_files") +
         R"(  esac
  case $command in
)" + branches +
         R"(  esac
  if [[ $PREFIX == -* ]]; then
    _describe option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}

_flaky "$@"
)";
}

std::string FishCompletion(std::span<const CommandHelp> commands) {
  std::string names, lines;
  for (const CommandHelp& command : commands.subspan(1)) names += " " + Quoted(command.name);
  for (const CommandHelp& command : commands) {
    const std::string begin = "complete -c flaky -n " + Quoted("__flaky_is_at " + Quoted(command.name));
    for (const HelpEntry& below : command.commands) {
      lines += begin + " -f -a " + Quoted(below.names.front()) + " -d " + Quoted(below.meaning) + "\n";
    }
    for (const HelpEntry& option : command.options) {
      lines += begin;
      for (const std::string& name : option.names) {
        lines += name.starts_with("--") ? " -l " + Quoted(name.substr(2)) : " -s " + Quoted(name.substr(1));
      }
      if (const auto choices = ChoicesOf(option); !choices.empty()) {
        lines += " -x -a " + Quoted(Join(choices, " "));
      } else if (!option.value.empty()) {
        lines += " -r";
      }
      lines += " -d " + Quoted(option.meaning) + "\n";
    }
  }
  return R"(# fish completion for flaky

function __flaky_is_at --description 'Whether the words typed so far chose this command'
    set -l command flaky
    for word in (commandline -opc)[2..]
        test "$word" = --; and return 1
        contains -- "$command $word")" +
         names + R"(; and set command "$command $word"
    end
    test "$command" = "$argv"
end

)" + lines;
}

}  // namespace flaky
