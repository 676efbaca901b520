// The few facts about a Linux program or shared library which decide what must travel with it (System V ABI,
// ELF-64, little-endian).
//
// Thread-safety: values; pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::oci {

struct ElfFacts {
  std::string architecture;  // Go's name: "amd64", "arm64"; "" for other machines
  std::string interpreter;   // PT_INTERP: "/lib64/ld-linux-x86-64.so.2"; "" for libraries and static programs
  std::vector<std::string> needed;    // DT_NEEDED, in order
  std::vector<std::string> run_path;  // DT_RUNPATH, else DT_RPATH, split at ':'
};

// `what` names the file in messages. Error: "oci.elf_invalid".
base::Result<ElfFacts> read_elf(base::Bytes file, std::string_view what);

}  // namespace wherry::oci
