// SPDX-License-Identifier: MIT
#include "stores/supabase/connection.h"
#include "stores/supabase/reader.h"
#include "tests/fuzz/server_store.h"

namespace flaky::fuzz {

// The answers of a Supabase project's REST interface.
void CheckInput(std::string_view input) {
  Location location = ParseLocation("supabase:https://fuzz.supabase.co");
  location.token = Secret(kToken);
  supabase::Connection connection(location, {});
  supabase::Reader reader(connection);
  WithAnswers(input, [&](char question) { Ask(reader, question); });
}

}  // namespace flaky::fuzz
