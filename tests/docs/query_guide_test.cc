// SPDX-License-Identifier: MIT

// Runs every query of docs/guides/query-the-history.md on a generated history, with the program for which it is shown.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "stores/open.h"
#include "tests/servers/postgres_server.h"
#include "tests/support/generate_history.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

struct Block {
  std::string kind;  // what follows ``` in its first line
  std::string text;
};

std::vector<Block> BlocksOf(const std::string& page) {
  std::ifstream file(page);
  std::vector<Block> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + '\n';
    }
  }
  return blocks;
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

class QueryGuide : public testing::Test {
 protected:
  QueryGuide() {
    HistoryShape shape;
    shape.runs = 60;
    shape.tests = 40;
    const std::vector<RunRecord> records = GenerateHistory(shape);
    for (const std::string& location : {"sqlite:" + folder_.File("flaky.db"), uri_}) {
      const auto store = OpenStore(ParseLocation(location), OpenMode::kWrite);
      store->Write(records);
    }
    PostgresServer::Execute(uri_, "CREATE ROLE grafana");
    test_ =
        *PostgresServer::Query(uri_, "SELECT test_name FROM flaky_test_executions ORDER BY failed DESC LIMIT 1")[0][0];
  }
  ~QueryGuide() override { PostgresServer::Shared().DropDatabase(uri_); }

  // Runs a command of bash in the folder of the history. Expects it to succeed, and returns what it prints.
  std::string Run(const std::string& command) {
    const std::string script = "exec 2>&1\ncd '" + folder_.path().string() + "'\nset -euo pipefail\n" + command;
    std::ofstream(folder_.File("script")) << script;
    const std::string whole = "env -u PGUSER FLAKY_TESTS_CONNECTION_STRING='" + uri_ + "' NODE_PATH='" +
                              FLAKY_NODE_MODULES + "' PATH=/usr/bin:/bin:\"$PATH\" bash '" + folder_.File("script") +
                              "'";
    std::FILE* pipe = popen(whole.c_str(), "r");
    std::string output;
    for (int c; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << command << '\n' << output;
    return output;
  }

  std::string Sqlite() { return Run("sqlite3 -bail flaky.db < query.sql"); }
  std::string Psql() {
    return Run("psql \"$FLAKY_TESTS_CONNECTION_STRING\" -X -q -At -v ON_ERROR_STOP=1 -f query.sql");
  }

  TempFolder folder_;
  std::string uri_ = PostgresServer::Shared().CreateDatabase();
  std::string test_;
};

auto Lines(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST_F(QueryGuide, EveryQueryGivesRows) {
  const std::vector<Block> blocks = BlocksOf(std::string(FLAKY_SOURCE_DIR) + "/docs/guides/query-the-history.md");
  std::map<std::string, int> kinds;
  std::ofstream(folder_.File("query.sql")) << "SELECT count(*) FROM flaky_test_executions;\n";
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.text);
    ++kinds[block.kind];
    if (block.kind.starts_with("sql")) {
      std::ofstream(folder_.File("query.sql"))
          << With(With(block.text, "Suite.Test", test_), "$__timeFilter(started_at)", "started_at > '2000-01-01'");
    }
    if (block.kind == "sql") {
      const std::string sqlite = Sqlite();
      EXPECT_GT(Lines(sqlite), 0);
      EXPECT_EQ(Lines(sqlite), Lines(Psql())) << sqlite;
    } else if (block.kind == "sql grafana") {
      EXPECT_GT(Lines(Psql()), 0);
    } else if (block.kind == "sql postgres") {
      Psql();
      for (const char* view : {"executions", "failures_with_run", "test_days", "run_days", "roster_tests"}) {
        PostgresServer::Execute(uri_, "SET ROLE grafana; SELECT * FROM flaky_test_" + std::string(view) + " LIMIT 1");
      }
    } else if (block.kind == "sql duckdb") {
      std::ofstream(folder_.File("duckdb.js"))
          << "const { DuckDBInstance } = require('@duckdb/node-api');\n"
             "(async () => {\n"
             "  const duckdb = await (await DuckDBInstance.create()).connect();\n"
             "  const rows = await duckdb.runAndReadAll(require('fs').readFileSync('query.sql', 'utf8'));\n"
             "  console.log(rows.getRows().join('\\n'));\n"
             "})();\n";
      EXPECT_GT(Lines(Run("node duckdb.js")), 1);
    } else if (block.kind == "js") {
      std::ofstream(folder_.File("query.js")) << block.text;
      EXPECT_GT(Lines(Run("node query.js")), 4);
    } else if (block.kind == "python") {
      std::ofstream(folder_.File("query.py")) << block.text;
      EXPECT_GT(Lines(Run("/usr/bin/python3 query.py")), 4);
    } else if (block.kind == "sh") {
      Run(block.text);
    } else {
      ADD_FAILURE() << "an unknown kind of block: " << block.kind;
    }
  }
  EXPECT_GE(kinds["sql"], 7);
  for (const char* kind : {"sql duckdb", "js", "python", "sql grafana", "sql postgres"})
    EXPECT_EQ(kinds[kind], 1) << kind;
}

}  // namespace
}  // namespace flaky
