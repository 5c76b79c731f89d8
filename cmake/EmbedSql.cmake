# flaky_embed_sql(TARGET DIALECT): compiles the numbered files stores/schema/DIALECT/NNNN_name.sql into TARGET, byte for
# byte, as the function `<Dialect>Migrations()` that stores/sql/ledger.h declares. Needs only CMake. An edited, added or
# removed file makes CMake configure again.
function(flaky_embed_sql target dialect)
  set(folder ${PROJECT_SOURCE_DIR}/stores/schema/${dialect})
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  list(SORT files)
  if(NOT files)
    message(FATAL_ERROR "no .sql file in ${folder}")
  endif()

  set(entries "")
  set(expected 1)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WE)
    if(NOT name MATCHES "^0*([1-9][0-9]*)_[a-z0-9_]+$")
      message(FATAL_ERROR "invalid name of a migration ${file}; expected NNNN_what_it_does.sql")
    endif()
    set(version ${CMAKE_MATCH_1})
    if(NOT version EQUAL expected)
      message(FATAL_ERROR "invalid number of a migration ${file}; expected ${expected}, the next one")
    endif()
    math(EXPR expected "${expected} + 1")
    file(READ ${file} sql)
    string(FIND "${sql}" ")flaky_sql\"" end_mark)
    if(NOT end_mark EQUAL -1)
      message(FATAL_ERROR "${file} contains the delimiter of embedded texts, )flaky_sql\"")
    endif()
    string(APPEND entries "    {${version}, \"${name}\",\n     R\"flaky_sql(${sql})flaky_sql\"sv},\n")
  endforeach()

  string(SUBSTRING ${dialect} 0 1 first)
  string(SUBSTRING ${dialect} 1 -1 rest)
  string(TOUPPER ${first} first)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/migrations_${dialect}.cc)
  file(WRITE ${generated}.new
"// Made by cmake/EmbedSql.cmake from stores/schema/${dialect}/.
#include \"stores/sql/ledger.h\"

namespace flaky {

using namespace std::string_view_literals;

std::span<const Migration> ${first}${rest}Migrations() {
  static constexpr Migration kMigrations[] = {
${entries}  };
  return kMigrations;
}

}  // namespace flaky
")
  file(COPY_FILE ${generated}.new ${generated} ONLY_IF_DIFFERENT)
  target_sources(${target} PRIVATE ${generated})
endfunction()
