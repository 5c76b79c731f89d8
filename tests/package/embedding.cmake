# Builds programs that embed the installed libraries: one records and copies a history, and one runs the contract suite
# against a store from outside the tree. Uses the compiler and flags of the build, whose libraries may be built for a
# sanitizer.
#
#   cmake -D NAME=… -D SOURCE=… -D WORK=… -D PREFIX=… -D EXAMPLES=… -D COMPILER=… -D FLAGS=… -P embedding.cmake

include(${CMAKE_CURRENT_LIST_DIR}/fresh_folder.cmake)
set(ENV{CMAKE_PREFIX_PATH} ${PREFIX})

run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${WORK}/build -D EXAMPLES=${EXAMPLES} -D HEADERS=${PREFIX}/include/flaky
  -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_FLAGS=${FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)

run(${WORK}/build/shop_test --gtest_brief=1)
set(history ${WORK}/home/.local/state/flaky/history.db)
execute_process(COMMAND ${WORK}/build/embed/copy_history sqlite:${history} sqlite:${WORK}/copy.db
  OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
if(NOT printed MATCHES "1 of 1 runs\n1 copied, verified\n$")
  message(FATAL_ERROR "copy_history printed: ${printed}")
endif()
execute_process(COMMAND ${WORK}/build/embed/copy_history sqlite:${WORK}/missing.db sqlite:${WORK}/copy.db
  RESULT_VARIABLE result ERROR_VARIABLE printed)
if(NOT result EQUAL 1 OR NOT printed MATCHES "missing.db")
  message(FATAL_ERROR "copy_history ended with ${result} and printed: ${printed}")
endif()
run(${PREFIX}/bin/flaky verify --source sqlite:${history} --target sqlite:${WORK}/copy.db)

run(${WORK}/build/shelf_test --gtest_brief=1)
execute_process(COMMAND ${WORK}/build/shelf_test --gtest_list_tests OUTPUT_VARIABLE tests COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "/Plain" found "${tests}")
list(LENGTH found count)
if(count LESS 20)
  message(FATAL_ERROR "the contract suite has only ${count} tests: ${tests}")
endif()
