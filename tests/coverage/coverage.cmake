# NSD_COVERAGE=ON: the guest and the command count how often each region of their source runs, for
# scripts/coverage. clang's own counters (-fprofile-instr-generate) are increments of a word in
# memory: no call is inserted. Their runtime would need a C library, so shared_counters.c stands in
# its place: it lays the counters over a file that all processes share.
if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "NSD_COVERAGE needs clang: the counters and their reader are LLVM's")
endif()

set(nsd_coverage_source ${CMAKE_SOURCE_DIR}/tests/coverage/shared_counters.c)
set(nsd_coverage_layout ${CMAKE_SOURCE_DIR}/tests/coverage/counters.ld)
foreach(target nsd_core nsd_go_reader nsdrift nsdrift_command)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-fprofile-instr-generate -fcoverage-mapping>)
endforeach()

function(nsd_share_counters target file)
  add_library(${target}_counters OBJECT ${nsd_coverage_source})
  target_include_directories(${target}_counters PRIVATE shim ${nsd_machine_folders})
  target_compile_options(${target}_counters PRIVATE ${nsd_guest_flags})
  target_compile_definitions(${target}_counters PRIVATE
    NSD_COUNTERS_FILE="${CMAKE_BINARY_DIR}/${file}" ${ARGN})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_counters>)
  target_link_options(${target} PRIVATE -Wl,-T,${nsd_coverage_layout})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${nsd_coverage_layout})
endfunction()

nsd_share_counters(nsdrift libnsdrift.so.counters NSD_COUNTERS_INJECTED)
nsd_share_counters(nsdrift_command nsdrift.counters)
# Nobody calls constructors in a static program: the call of the library's entry is led past us.
target_link_options(nsdrift PRIVATE -Wl,--wrap=nsd_injected_begin)
