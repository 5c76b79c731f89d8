// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_ACCESS_H_
#define FLAKY_STORES_POSTGRES_ACCESS_H_

#include <string>
#include <vector>

#include "stores/postgres/connection.h"

// Which other roles can reach the tables of one history, or run code with our rights when we use them, and which rows
// this role sees. All functions throw what libpqxx throws, and StoreError.
namespace flaky::postgres {

struct TableAccess {
  std::string name;  // with the prefix
  std::string owner;
  bool trusted = false;          // the owner is (IsTrusted in stores/sql/boundaries.h)
  bool mine = false;             // this role has the owner's rights
  bool ordinary = false;         // a table, not a view or the like …
  bool plain = false;            // … with columns of the server's own types, so that no code runs when it is read
  std::string foreign_triggers;  // those whose function belongs to a role that is not trusted, as text
  bool has_triggers = false;
  bool secured = false;       // row-level security is on
  bool filtered = false;      // it applies to this role …
  bool whole = true;          // … which can read every row all the same
  bool changeable = true;     // … and can change every row
  bool granted = false;       // the owner granted rights to public roles or to PUBLIC
  std::string reached_by;     // public roles that have any right, directly or not, as text
  std::string public_rights;  // rights that PUBLIC has, as text
};

struct Access {
  std::string role;
  std::string schema;               // in which the tables are or will be created; empty: no schema exists
  std::string public_roles;         // of the server, as text
  std::vector<TableAccess> tables;  // those that exist
};

// Finds the tables and reads what there is to know, with one query. If some of the tables exist along the user's search
// path, `schema` is theirs, because a new table of the same name in an earlier schema would hide them.
Access ReadAccess(const Connection& connection, pqxx::transaction_base& transaction);

// Throws StoreError (kAuth, naming role and table) if reading would return only some of the rows, or could run code of
// a role that is not trusted.
void RequireReadable(const Connection& connection, const Access& access);

// The same for writing. Precondition: RequireReadable.
void RequireWritable(const Connection& connection, const Access& access);

// Returns the settings that the session needs.
Connection::Needs NeedsOf(const Access& access);

// Returns true for a list of migrations, which only the owner changes.
bool IsLedger(const Connection& connection, const TableAccess& table);

// Returns true if the server has public roles and their access is not closed (ClosingBlock).
bool IsOpen(const Access& access);
// Returns which tables public roles can reach, and who can change that; empty if they reach none.
std::string OpenTablesPhrase(const Access& access);

// Returns functions and operators of roles that are not trusted, in the schema of the tables, that are named as the
// server's own or as ours; at most a few.
std::vector<std::string> ForeignRoutines(const Connection& connection, const Access& access,
                                         pqxx::transaction_base& transaction);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_ACCESS_H_
