// One fixture case: a model file, rows to ask it, and what the framework answered (tests/fixtures/README.md).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wherry::parity {

using Value = std::variant<std::monostate, bool, double, std::string>;

// An answer as a flat list of its leaves, row after row, and the shape of the nested lists around them.
struct Expected {
  std::vector<std::size_t> shape;
  std::vector<Value> leaves;
};

struct Rows {
  std::optional<std::vector<std::string>> columns;
  std::vector<std::vector<Value>> rows;
};

struct Refusal {
  std::string method;
  Rows rows;
  std::string error;
};

struct Case {
  std::filesystem::path model;  // the file named model.*
  double tolerance = 1e-12;     // relative; larger where expected.json says so and why
  std::string because;
  Rows rows;
  // Lists of arrays (predict_proba of several outputs) are one entry per array.
  std::map<std::string, std::vector<Expected>> outputs;
  std::vector<std::string> feature_names_out;
  std::vector<Refusal> refusals;
};

// Aborts the test run on files that are not as make.sh writes them.
Case read_case(const std::filesystem::path& folder);

}  // namespace wherry::parity
