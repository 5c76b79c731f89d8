#ifndef FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_
#define FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_

#include <memory>

#include "stores/driver.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/store.h"

namespace flaky::supabase {

// Opens the history in the Supabase project that `location` names, `https://PROJECT.supabase.co` or any server that
// speaks PostgREST's dialect below /rest/v1, with the key that is the location's token.
//
// Nothing is ever created or upgraded: the interface runs no DDL (stores/supabase/migrate.h does it on another way).
// Throws StoreError: kMissing where tables and functions are not there or, for writing, not up to date, with what makes
// them; kAuth (which says whether the key is missing, wrong, a publishable one or lacks a grant); kInvalid (location);
// kSchemaTooNew; kTransient (not to be reached, overloaded, its database away).
std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const http::Options& options = {});

// What the program knows of this store.
extern const Driver kDriver;

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_
