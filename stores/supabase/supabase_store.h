// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_
#define FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_

#include <memory>

#include "stores/driver.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/store.h"

namespace flaky::supabase {

// Opens the history in the Supabase project that `location` names, `https://PROJECT.supabase.co` or any server that
// speaks PostgREST's dialect under /rest/v1. The location's token is the key.
//
// Never creates or upgrades anything, because the interface can't run DDL (stores/supabase/migrate.h does it in other
// ways). Throws StoreError: kMissing if tables and functions don't exist or, for writing, aren't up to date (the
// message says how to create them); kAuth (the message says whether the key is missing, wrong, publishable or lacks a
// grant); kInvalid (location); kSchemaTooNew; kTransient (unreachable, overloaded, its database not available).
std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const http::Options& options = {});

extern const Driver kDriver;

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_SUPABASE_STORE_H_
