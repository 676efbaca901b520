// What a model takes and answers, prepared once per model for reading requests and writing responses.
//
// Thread-safety: immutable after construction; read from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "program/program.h"

namespace wherry::protocol {

// One output as the Open Inference Protocol sees it. An output of several values (predict_proba of a
// multi-output classifier) is several tensors, "predict_proba_0", "predict_proba_1", …
struct OutputTensor {
  std::string name;
  std::uint32_t output = 0;  // position in Schema::outputs()
  std::uint32_t value = 0;   // position among that output's values
  program::ValueType type;   // kTable: mixed cells
};

struct OutputSchema {
  std::string name;                 // "predict"
  std::vector<std::string> labels;  // of its columns, where known
  std::uint32_t first_tensor = 0;   // position in Schema::tensors()
  std::uint32_t tensor_count = 1;
};

// Two lengths of input tensors which every request gives equally: both are the batch, or have one name.
struct EqualLengths {
  std::uint32_t input = 0;
  std::uint32_t axis = 0;
  std::uint32_t same_input = 0;
  std::uint32_t same_axis = 0;
};

class Schema {
 public:
  explicit Schema(const program::Program& program);  // copies what it needs

  const program::Signature& signature() const { return signature_; }
  std::span<const program::InputColumn> columns() const { return signature_.columns; }
  // A tensor model has inputs in the place of columns.
  bool takes_tensors() const { return signature_.takes_tensors(); }
  std::span<const program::InputTensor> inputs() const { return signature_.tensors; }
  std::span<const EqualLengths> equal_lengths() const { return equal_lengths_; }
  std::span<const OutputSchema> outputs() const { return outputs_; }
  std::span<const OutputTensor> tensors() const { return tensors_; }

  std::optional<std::uint32_t> column(std::string_view name) const;
  std::optional<std::uint32_t> input(std::string_view name) const;  // position in inputs()
  std::optional<std::uint32_t> output(std::string_view name) const;
  std::optional<std::uint32_t> tensor(std::string_view name) const;

  // What is answered when a request does not choose: "predict", else "transform", else the first output. Of
  // a tensor model all outputs are.
  std::uint32_t default_output() const { return default_output_; }

  // As this one, but columns beyond the model's are ignored, such as the target in a file of training data.
  Schema ignoring_extra() const {
    Schema copy = *this;
    copy.signature_.ignores_extra = true;
    return copy;
  }

  // No column takes text only / every column takes text: whether one numeric / one BYTES matrix will do.
  // Neither holds for a tensor model.
  bool takes_numbers() const { return takes_numbers_; }
  bool takes_texts() const { return takes_texts_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  program::Signature signature_;
  std::vector<OutputSchema> outputs_;
  std::vector<OutputTensor> tensors_;
  std::vector<EqualLengths> equal_lengths_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> column_of_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> input_of_;
  std::uint32_t default_output_ = 0;
  bool takes_numbers_ = true;
  bool takes_texts_ = true;
};

}  // namespace wherry::protocol
