# Programs that embed the libraries as they are installed: a history is recorded and copied, and a store of somebody else's is held to
# the contract. Compiler and flags are those of the build, whose libraries may be made for a sanitizer.
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
  message(FATAL_ERROR "copy_history says: ${printed}")
endif()
execute_process(COMMAND ${WORK}/build/embed/copy_history sqlite:${WORK}/missing.db sqlite:${WORK}/copy.db
  RESULT_VARIABLE result ERROR_VARIABLE said)
if(NOT result EQUAL 1 OR NOT said MATCHES "missing.db")
  message(FATAL_ERROR "copy_history ends with ${result} and says: ${said}")
endif()
run(${PREFIX}/bin/flaky verify --source sqlite:${history} --target sqlite:${WORK}/copy.db)

run(${WORK}/build/shelf_test --gtest_brief=1)
execute_process(COMMAND ${WORK}/build/shelf_test --gtest_list_tests OUTPUT_VARIABLE tests COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "/Plain" found "${tests}")
list(LENGTH found count)
if(count LESS 20)
  message(FATAL_ERROR "the contract has ${count} tests only: ${tests}")
endif()
