// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_BOUNDARIES_H_
#define FLAKY_STORES_SQL_BOUNDARIES_H_

#include <string>
#include <string_view>
#include <vector>

// SQL that keeps other roles of a PostgreSQL server away from the tables of one history, and their code away from us.
// All of it needs `search_path = pg_catalog, pg_temp`, except for the blocks, which may be run with any path.
namespace flaky {

// Returns the condition that a row `alias` of pg_roles is a public role: one whose key is known to everybody, because
// it is the role of an interface's users who did not sign in, or who signed up by themselves (Supabase, Neon,
// PostgREST).
std::string IsPublicRole(std::string_view alias);

// Returns the condition that `role`, an expression for an oid, is a role whose code may run with the rights of this
// one: it is this role or a member of it, a superuser, the database's or the schema's owner or a member of these, or a
// role that this one is a member of. A membership counts only if an administrator granted it, because up to PostgreSQL
// 15 each role may grant itself to others. Needs the tables of kTrustTables.
std::string IsTrusted(std::string_view role);

// The tables of a WITH RECURSIVE clause for IsTrusted: me (oid, rolname) and own (oid). They need a table place
// (datdba, nspowner), the owners of the database and of the schema.
extern const std::string_view kTrustTables;

// Returns the names of all tables with this prefix, that of the runs first.
std::vector<std::string> NamesOfTables(std::string_view prefix);

// Returns the names of the views of migration 4; a view comes before the one that it uses. The program does not read
// them, and other objects may have their names.
std::vector<std::string> NamesOfViews(std::string_view prefix);

// Returns the condition that a row `routine` of pg_proc is one of the REST functions with this prefix.
std::string IsRestFunction(std::string_view routine, std::string_view prefix);

// The policy that keeps row-level security from hiding rows from roles that are not public: what these may do is a
// matter of their rights, as on a server without public roles.
inline constexpr std::string_view kGrantedPolicy = "flaky_granted";

// Returns a DO block that closes the tables to the public roles, if the server has such roles: enables row-level
// security with the policy kGrantedPolicy, and revokes every right of these roles and of PUBLIC, also on the tables'
// sequences and views. `scope`: what is in front of the quoted names of the tables,
// such as `"public".`; empty: they are found along the search path. The role must own the tables.
std::string ClosingBlock(std::string_view prefix, std::string_view scope);

// Returns a DO block that fails if code of a role that is not trusted could run while a script makes or upgrades the
// tables: a table, or a trigger of one, that belongs to it, or a function or operator in a schema of the search path
// that may be called in place of the server's own. `scope` as in ClosingBlock.
std::string GuardBlock(std::string_view prefix, std::string_view scope);

// Returns the text of a migration with `scope` in front of each table's name, also within texts.
std::string InScope(std::string_view migration, std::string_view scope);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_BOUNDARIES_H_
