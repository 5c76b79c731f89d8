// SPDX-License-Identifier: MIT

// One secret in each setting and in each argument, in every form that people give it by mistake. It must not appear in
// anything that the program or the recorder prints, writes or names.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/settings.h"
#include "settings/settings.h"
#include "tests/cli/program_fixture.h"
#include "tests/stores/canned_server.h"

namespace flaky {
namespace {

using testing::HasSubstr;

// A form contains both halves of the secret, or one of them. Capital letters make sure that no form is a name by
// chance.
constexpr std::string_view kHalves[] = {"Zx9kfa", "Wq7mvb"};

struct Form {
  std::string text;
  bool is_word = false;  // nothing tells it from a name: it is set only in place of a secret
  bool is_host = false;  // most commands would wait for a server
};

const std::vector<Form>& Forms() {
  static const std::vector<Form> forms = {
      // Quotes, blanks and line ends around a URL, in it, and on one side only.
      {"\"postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd\""},
      {"'postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd'"},
      {"\"postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db'", false, true},
      {"`postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db`"},
      {" postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd"},
      {"postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd\n"},
      {"postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd\r\n"},
      {"postgresql://bob:Zx9kfa Wq7mvb@127.0.0.1:1/db", false, true},
      {"postgresql://bob:Zx9kfa\nWq7mvb@127.0.0.1:1/db", false, true},
      {"postgresql://bob:Zx9kfa\"Wq7mvb@127.0.0.1:1/db?sslmode=odd"},
      {"postgresql://bob:Zx9kfa\"Wq7mvb\"@127.0.0.1:1/db?sslmode=odd"},
      // Characters that must be encoded.
      {"postgresql://bob:Zx9kfa/Wq7mvb@127.0.0.1:1/db"},
      {"postgresql://bob:Zx9kfa@Wq7mvb@127.0.0.1:1/db"},
      {"postgresql://bob:Zx9kfa#Wq7mvb@127.0.0.1:1/db?sslmode=odd"},
      {"postgresql://bob:Zx9kfa%Wq7mvb@127.0.0.1:1/db"},
      {"postgresql://bob:Zx9kfa:Wq7mvb@127.0.0.1:1/db?sslmode=odd"},
      {"postgresql://bob:Zx9kfa?Wq7mvb@127.0.0.1:1/db", false, true},
      {"postgresql://bob:1?Zx9kfa=Wq7mvb@127.0.0.1:1/db", false, true},
      {"postgresql://bob:Zx9kfa%40Wq7mvb@127.0.0.1:1/db?sslmode=odd"},
      // Prefixes of other programs, and none.
      {"postgresql+psycopg2://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"postgres+asyncpg://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"jdbc:postgresql://127.0.0.1:1/db?user=bob&password=Zx9kfaWq7mvb"},
      {"jdbc:postgresql:Zx9kfaWq7mvb"},
      {"psql postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"DATABASE_URL=postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"export DATABASE_URL=postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"//bob:Zx9kfaWq7mvb@127.0.0.1:1/db", false, true},
      {"://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"postgresql:/bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"postgresql:bob:Zx9kfaWq7mvb@127.0.0.1"},
      {"https:/u:Zx9kfaWq7mvb@127.0.0.1:1"},
      {"POSTGRESQL://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      // Parts of an address that are missing or too many.
      {"postgresql://bob:Zx9kfaWq7mvb"},
      {"postgresql://bob:Zx9kfaWq7mvb@", false, true},
      {"postgresql://Zx9kfaWq7mvb@127.0.0.1:1/db?sslmode=odd"},
      {"https://Zx9kfaWq7mvb@127.0.0.1:1"},
      {"libsql://Zx9kfaWq7mvb", false, true},
      {"libsql://127.0.0.1:Zx9kfaWq7mvb"},
      {"libsql://127.0.0.1:1/#Zx9kfaWq7mvb"},
      {"libsql://127.0.0.1:1?Zx9kfaWq7mvb"},
      {"libsql://127.0.0.1:1?authTokn=Zx9kfaWq7mvb"},
      {"libsql://127.0.0.1:1?auth%54oken=Zx9kfaWq7mvb"},
      {"libsql://127.0.0.1:1?authToken=Zx9kfaWq7mvb%zz"},
      {"https://127.0.0.1:1/a b/Zx9kfaWq7mvb"},
      {"supabase:https://u:Zx9kfaWq7mvb@127.0.0.1:1"},
      {"turso:https://u:Zx9kfaWq7mvb@127.0.0.1:1"},
      {"sqlite:postgresql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"mysql://bob:Zx9kfaWq7mvb@127.0.0.1:1/db"},
      {"Zx9kfaWq7mvb@127.0.0.1"},
      // libpq's keywords.
      {"host=127.0.0.1 port=1 sslmode=odd password=Zx9kfaWq7mvb"},
      {"host=127.0.0.1 password=Zx9kfa Wq7mvb"},
      {"host=127.0.0.1 password='Zx9kfa Wq7mvb"},
      {"host=127.0.0.1;password=Zx9kfaWq7mvb", false, true},
      {"host=127.0.0.1,password=Zx9kfaWq7mvb sslmode=odd"},
      {"host=127.0.0.1 passwor%64=Zx9kfaWq7mvb"},
      {"passwor%64=Zx9kfaWq7mvb"},
      {"postgresql://127.0.0.1:1/db?passwor%64=Zx9kfaWq7mvb&sslmode=odd"},
      {"postgresql://127.0.0.1:1/db?pasword=Zx9kfaWq7mvb"},
      {"Server=127.0.0.1;Database=db;Pwd=Zx9kfaWq7mvb"},
      // Tokens.
      {"Bearer Zx9kfaWq7mvb"},
      {"eyJhbGciOiJIUzI1NiJ9.Zx9kfa.Wq7mvb"},
      {"AKIAZx9kfaWq7mvb012345"},
      {"Zx9kfaWq7mvb", true},
      {"bob:Zx9kfaWq7mvb", true},
      {"\"Zx9kfaWq7mvb\"\n", true},
      {"Zx9kfa\x01Wq7mvb", true},
  };
  return forms;
}

const std::vector<std::vector<std::string>>& Commands() {
  static const std::vector<std::vector<std::string>> commands = {
      {"runs"},
      {"runs", "--json"},
      {"show", "latest"},
      {"check", "--json"},
      {"check", "--rule", "npm", "--json"},
      {"tests", "--all", "--json"},
      {"trend"},
      {"config"},
      {"config", "--json"},
      {"doctor", "--json"},
      {"deliver"},
      {"deliver", "--quiet"},
      {"schema", "status", "--json"},
      {"schema", "migrate"},
      {"schema", "adopt", "--from-prefix", "old_"},
      {"dual", "status", "--json"},
      {"dual", "backfill"},
      {"dual", "verify"},
      {"export"},
      {"export", "--json", "e.jsonl"},
      {"import", "none.jsonl"},
      {"migrate-store", "--json"},
      {"verify"},
      {"verify", "--json"},
      {"run", "true"},
  };
  return commands;
}

class SecretsTest : public ProgramTest {
 protected:
  SecretsTest() {
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
    Unset("GTEST_OUTPUT");
  }

  static bool Shows(std::string_view text) {
    for (const std::string_view half : kHalves) {
      for (size_t at = 0; at + half.size() <= text.size(); ++at) {
        const auto same = [&](char a, char b) { return std::tolower(a) == std::tolower(b); };
        if (std::equal(half.begin(), half.end(), text.begin() + static_cast<std::ptrdiff_t>(at), same)) return true;
      }
    }
    return false;
  }

  // Fails if the secret is in an output, a file or the name of a file.
  void ExpectNoSecret(const Outcome& outcome, const std::string& what) {
    ++checked_;
    EXPECT_FALSE(Shows(outcome.out)) << what << "\n" << outcome.out;
    EXPECT_FALSE(Shows(outcome.err)) << what << "\n" << outcome.err;
    EXPECT_NE(outcome.code, -1);
  }
  void ExpectNoSecretInFiles(const std::string& what) {
    for (const auto& [name, content] : Everything()) {
      EXPECT_FALSE(Shows(name)) << what << ": " << name;
      EXPECT_FALSE(Shows(content)) << what << ": in " << name;
    }
  }

  // Runs a program with the recorder and without a delivery.
  Outcome Record(const std::vector<std::string>& arguments = {}) {
    std::string command = FLAKY_FIXTURES "/behaviours --gtest_filter=Plain.Passes";
    for (const std::string& argument : arguments) command += " '" + argument + "'";
    const int status = std::system((command + " >'" + Path("out") + "' 2>'" + Path("err") + "'").c_str());
    const Outcome outcome{status, Content(Path("out")), Content(Path("err"))};
    EXPECT_EQ(status, 0) << outcome.err;
    return outcome;
  }

  int checked_ = 0;
};

TEST_F(SecretsTest, FormsAreManyAndContainTheSecret) {
  EXPECT_GE(Forms().size(), 40u);
  for (const Form& form : Forms()) EXPECT_TRUE(Shows(form.text)) << form.text;
  EXPECT_TRUE(Shows("a zX9KFA b"));
}

// Each setting alone, so that no other one is the reason why it is not read.
TEST_F(SecretsTest, NoSettingIsShown) {
  for (const SettingInfo& info : SettingTable()) {
    const std::string name(info.name);
    const bool is_secret = info.secret || info.kind == SettingKind::kBool || info.kind == SettingKind::kChoice ||
                           info.kind == SettingKind::kStore || info.kind == SettingKind::kNumber ||
                           info.kind == SettingKind::kBytes || info.kind == SettingKind::kSeconds;
    const std::string before = std::getenv(name.c_str()) == nullptr ? "" : std::getenv(name.c_str());
    for (const Form& form : Forms()) {
      if (form.is_word && !is_secret && !name.ends_with("_TABLE_PREFIX")) continue;
      Set(name, form.text);
      for (const auto& command :
           {std::vector<std::string>{"config"}, {"runs"}, {"schema", "status"}, {"config", "--json"}}) {
        ExpectNoSecret(Run(command), name + "=" + form.text + " flaky " + command.front());
      }
    }
    Set(name, Forms().front().text);
    ExpectNoSecret(Run({"doctor"}), name + " doctor");
    ExpectNoSecretInFiles(name);
    before.empty() ? Unset(name) : Set(name, before);
  }
  EXPECT_GT(checked_, 5000);
}

// All commands, with an address in the settings of all stores.
TEST_F(SecretsTest, NoCommandShowsAnAddress) {
  Unset("FLAKY_TESTS_DB");
  Set("FLAKY_TESTS_LOG", "debug");
  Set("FLAKY_TESTS_SPOOL", Path("spool"));
  for (const char* store : {"", "postgres", "turso", "supabase"}) {
    for (const char* name : {"FLAKY_TESTS_", "FLAKY_TESTS_SOURCE_", "FLAKY_TESTS_DUAL_"}) {
      Set(std::string(name) + "STORE", store);
    }
    for (const Form& form : Forms()) {
      for (const char* name : {"FLAKY_TESTS_CONNECTION_STRING", "FLAKY_TESTS_SOURCE_CONNECTION_STRING",
                               "FLAKY_TESTS_DUAL_CONNECTION_STRING", "FLAKY_TESTS_SUPABASE_DB"}) {
        Set(name, form.text);
      }
      Set("FLAKY_TESTS_LOG_FILE", form.text.size() % 2 == 0 ? Path("log") : "");
      for (const auto& command : Commands()) {
        constexpr std::string_view kAsksOnce[] = {"config", "doctor"};
        if (form.is_host && std::ranges::find(kAsksOnce, command.front()) == std::end(kAsksOnce)) continue;
        ExpectNoSecret(Run(command), std::string(store) + " " + form.text + " flaky " + command.front());
      }
    }
    ExpectNoSecretInFiles(store);
  }
}

TEST_F(SecretsTest, NoArgumentIsShownOrBecomesAFile) {
  Keep({BuildRecord("r1").Project("demo").Build()});
  for (const Form& form : Forms()) {
    if (form.is_word) continue;
    const std::string& text = form.text;
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"export", "--from", text, "-"},
                                               {"export", text},
                                               {"import", text},
                                               {"import", "none.jsonl", "--to", text},
                                               {"migrate-store", "--from", text, "--to", "sqlite:" + Path("n.db")},
                                               {"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", text},
                                               {"verify", "--from=" + text},
                                               {"show", text},
                                               {"runs", "--project", text},
                                               {"runs", "--" + text},
                                               {"runs", text},
                                               {text},
                                               {"runs", "--since", text},
                                               {"check", "--window", text},
                                               {"check", "--window=" + text}}) {
      const Outcome outcome = Run(command);
      std::string what = "flaky";
      for (const std::string& word : command) what += " " + word;
      ExpectNoSecret(outcome, what);
      EXPECT_NE(outcome.code, 0) << what;
    }
  }
  ExpectNoSecretInFiles("arguments");
}

TEST_F(SecretsTest, ArgumentsWithSecretsAreRefusedAndSayWhy) {
  for (const char* text :
       {"postgres://127.0.0.1:1/d?passwor%64=x", "postgres://127.0.0.1:1/d?password=x",
        "postgres://bob:x@127.0.0.1:1/d", "libsql://x@127.0.0.1:1", "turso:https://x@127.0.0.1:1",
        "supabase:https://x@127.0.0.1:1", "libsql://127.0.0.1:1?auth%54oken=x", "postgres:host=127.0.0.1 password=x",
        "postgres:password = x", "postgres://AKIAIOSFODNN7EXAMPLE@127.0.0.1:1/d", "postgres://bob%3ax@127.0.0.1:1/d"}) {
    const Outcome outcome = Run({"export", "--from", text});
    EXPECT_EQ(outcome.code, 2) << text;
    EXPECT_THAT(outcome.err, HasSubstr("can be read by every user of this machine")) << text;
  }
}

TEST_F(SecretsTest, TheRecorderShowsNoSettingAndWritesNone) {
  for (const flaky_recorder::Setting& setting : flaky_recorder::kSettings) {
    const std::string before = std::getenv(setting.name) == nullptr ? "" : std::getenv(setting.name);
    const bool is_name = setting.max == 0;
    for (const Form& form : Forms()) {
      if (form.is_word && is_name) continue;
      Set(setting.name, form.text);
      // In a folder in which the name of each new file can be seen.
      ExpectNoSecret(Record(), std::string(setting.name) + "=" + form.text);
      Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
    }
    ExpectNoSecretInFiles(setting.name);
    before.empty() ? Unset(setting.name) : Set(setting.name, before);
  }
}

TEST_F(SecretsTest, ADeliveryThatFailsShowsNoSecretInTheTestProgram) {
  Unset("FLAKY_TESTS_DB");
  Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "60");
  Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
  for (const char* store : {"", "postgres", "turso"}) {
    Set("FLAKY_TESTS_STORE", store);
    for (const Form& form : Forms()) {
      if (form.is_host) continue;
      Set("FLAKY_TESTS_CONNECTION_STRING", form.text);
      ExpectNoSecret(Record(), std::string(store) + " " + form.text);
    }
    ExpectNoSecretInFiles(store);
  }
}

TEST_F(SecretsTest, ArgumentsOfTestProgramsAreMaskedBeforeTheyAreWritten) {
  Record({"--db-url=postgresql://bob:Zx9kfaWq7mvb@db/x", "--password", "Zx9kfaWq7mvb", "--token=Zx9kfaWq7mvb", "-u",
          "bob:Zx9kfaWq7mvb", "API_KEY=Zx9kfaWq7mvb", "AKIAZx9kfaWq7mvb012345", "--plain=yes"});
  ExpectNoSecretInFiles("the spool");
  EXPECT_THAT(Run({"deliver"}).err, testing::Not(HasSubstr("***")));
  const Outcome shown = Run({"show", "latest", "--json"});
  EXPECT_THAT(shown.out, HasSubstr("'--db-url=postgresql://***' --password '***' '--token=***' -u '***' 'API_KEY=***' "
                                   "'***' --plain=yes"));
  ExpectNoSecret(
      Run({"run", "--", FLAKY_FIXTURES "/behaviours", "--gtest_filter=Plain.Passes", "--password", "Zx9kfaWq7mvb"}),
      "run");
  ExpectNoSecretInFiles("a run");
  ExpectNoSecret(Run({"export"}), "export");
}

TEST_F(SecretsTest, ASettingTurnsTheRecordingOfArgumentsOff) {
  Set("FLAKY_TESTS_RECORD_ARGUMENTS", "0");
  Record({"--plain=Zx9kfaWq7mvb"});
  ExpectNoSecret(Run({"run", "--", "true", "Zx9kfaWq7mvb"}), "run");
  ExpectNoSecretInFiles("the spool");
  Run({"deliver"});
  ExpectNoSecret(Run({"show", "latest", "--json"}), "show");
  ExpectNoSecretInFiles("the store");
}

// A server, or a proxy before it, may repeat what it was sent.
TEST_F(SecretsTest, AServersEchoIsMasked) {
  const std::string token = "Zx9kfaWq7mvb-a-token-of-some-length";
  Set("FLAKY_TESTS_AUTH_TOKEN", token);
  Unset("FLAKY_TESTS_DB");
  for (const char* store : {"turso", "supabase"}) {
    Set("FLAKY_TESTS_STORE", store);
    for (const std::string& body :
         {"Authorization: Bearer " + token, "{\"message\":\"apikey: " + token + "\",\"code\":\"" + token + "\"}",
          std::string(290, '.') + token, "{\"error\":{\"message\":\"" + std::string(295, '.') + token + "\"}}"}) {
      // Of these answers, an error repeats the body.
      CannedServer server({CannedServer::Answer("400 Bad Request", body)});
      Set("FLAKY_TESTS_CONNECTION_STRING", server.url());
      for (const auto& command :
           {std::vector<std::string>{"runs"}, {"doctor", "--json"}, {"schema", "status"}, {"export"}}) {
        ExpectNoSecret(Run(command), std::string(store) + " " + body + " " + command.front());
      }
      EXPECT_FALSE(server.requests().empty());
      EXPECT_THAT(Run({"runs"}).err, HasSubstr("HTTP 400"));
    }
  }
}

TEST_F(SecretsTest, QuotesAndLineEndsAroundAValueAreRemovedAndReported) {
  Keep({BuildRecord("r1").Project("demo").Build()});
  Set("FLAKY_TESTS_DB", "\"" + Path("h.db") + "\"\r\n");
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\nr1 "));
  EXPECT_EQ(outcome.err,
            "flaky: FLAKY_TESTS_DB (in the environment): removed the quotes, blanks or line ends around the value\n");
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("removed the quotes"));
  Set("FLAKY_TESTS_DB", Path("h.db"));
  Set("FLAKY_TESTS_SPOOL", "'" + Path("spool") + "'\n");
  EXPECT_EQ(Record().err, "flaky: FLAKY_TESTS_SPOOL: removed the quotes, blanks or line ends around the value\n");
  EXPECT_EQ(InSpool().size(), 1u);
}

}  // namespace
}  // namespace flaky
