// The table of model formats: recognising a file or folder and handing it to its importer.
//
// To add a format: a row in formats.cc, with what recognises it (a file's first bytes, the entries of a zip
// archive or the files of a folder) and a function in read_NAME.cc which reads it. Those of neural networks
// end with deep_inspection().
//
// Thread-safety: pure functions of the file's content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

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

// What the user says beside the file; each reader looks at what concerns its format.
struct Options {
  Limits limits;
  std::string signature;         // of a TensorFlow SavedModel; empty: "serving_default"
  std::filesystem::path source;  // the Python file with the user's classes; empty: none
  std::string class_name;        // in `source`: which one the weights belong to
  std::string arch;              // a known architecture which the weights belong to: "resnet18"
  struct InputShape {            // of an input of a PyTorch model whose file does not say it
    std::string name;
    tensor::DType dtype = tensor::DType::kFloat32;
    std::vector<std::int64_t> lengths;  // -1: chosen by each request
  };
  std::vector<InputShape> shapes;
};

// What a row decides by.
struct Subject {
  const std::filesystem::path& path;
  bool is_folder = false;
  std::string_view content;  // of a file
  std::string_view head;     // its first kHeadSize bytes
  // Of a zip archive: the names of its entries. Of a folder: those of its files and of theirs in folders
  // within, down to kMostFolders, as "variables/variables.index". In alphabetical order.
  std::vector<std::string> entries;

  bool has(std::string_view entry) const;
  bool has_ending(std::string_view ending) const;  // an entry which ends so
};
inline constexpr std::size_t kHeadSize = 4096;
inline constexpr int kMostFolders = 4;

// One row of the table.
struct Format {
  std::string_view name;         // "pickle"
  std::string_view description;  // for people: "Python pickle or joblib file"
  bool (*recognise)(const Subject& subject);
  // Null: recognised but not served; `advice` is the hint.
  base::Result<Inspection> (*read)(const std::filesystem::path& path, const Options& options);
  std::string_view advice;
};

std::span<const Format> formats();

// Errors: the file cannot be read ("base.file_*", with the path), is of no known format ("formats.unknown")
// or broken (the reader's own ids), always naming the file. A model which is understood but refused is not an
// error here.
base::Result<Inspection> inspect_file(const std::filesystem::path& path, const Options& options = {});

// A neural network as an importer hands it over, with what it knows of where it comes from (`format`,
// `framework`, `framework_version`, its own lines and notes). An error is a refusal where it says that the
// model is not supported.
base::Result<Inspection> deep_inspection(base::Result<graph::Graph> graph, program::Provenance provenance);

}  // namespace wherry::formats
