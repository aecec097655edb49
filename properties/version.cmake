# Writes OUTPUT, a header with the commit that SOURCE stands at, if that has changed: run at each
# build, as `cmake -DSOURCE=… -DOUTPUT=… -P version.cmake`.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git describe --always --dirty --tags WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "of no known commit")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define THP_COMMIT \"@commit@\"\n" @ONLY)
