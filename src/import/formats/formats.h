// The table of model file formats: recognising a file and handing it to its importer.
//
// Thread-safety: pure functions of the file's content.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "import/lightgbm/model.h"
#include "import/pickle/limits.h"
#include "program/program.h"
#include "program/provenance.h"

namespace wherry::formats {

// What is in a model file. `provenance` is as complete as the file allows even when the model cannot be
// served; then `refusal` says why and there is no program.
struct Inspection {
  program::Provenance provenance;
  std::optional<program::Program> program;
  std::optional<base::Error> refusal;
};

// Bounds on what reading a file may cost, one set per reader.
struct Limits {
  pickle::Limits pickle;
  lightgbm::Limits lightgbm;
};

// One row of the table.
struct Format {
  std::string_view name;                     // "pickle"
  std::string_view description;              // for people: "Python pickle or joblib file"
  bool (*recognise)(std::string_view head);  // by its first kHeadSize bytes, or all when `whole`
  // Null: recognised but not served; `advice` is the hint.
  base::Result<Inspection> (*read)(const std::filesystem::path& path, const Limits& limits);
  std::string_view advice;
  bool whole = false;
};

inline constexpr std::size_t kHeadSize = 4096;

std::span<const Format> formats();

// Errors: the file cannot be read ("base.file_*", with the path), is of no known format ("formats.unknown")
// or broken (the reader's own ids), always naming the file. A model which is understood but refused is not an
// error here.
base::Result<Inspection> inspect_file(const std::filesystem::path& path, const Limits& limits = {});

}  // namespace wherry::formats
