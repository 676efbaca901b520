// State that a model keeps between calls (self.h = …, self.count.add_(1)) as inputs and outputs of its graph:
// the attribute "h" becomes the input "h" and the output "h_out", which the caller gives to the next call. So
// one call computes what PyTorch's does, whoever made the calls before it.
//
// Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {

struct StateInput {
  std::string path;  // "_state", "encoder.h"
  tensor::DType dtype = tensor::DType::kFloat32;
  bool number = false;
  bool held = false;               // a number that starts every call as the file has it
  std::vector<std::int64_t> dims;  // -1: any length
  std::string start;               // what the file holds: "zeros", "an empty tensor"

  bool operator==(const StateInput&) const = default;
};

class ScriptState {
 public:
  // Makes inputs of `known`, in the objects below `root`. `taken`: names of forward()'s own inputs.
  ScriptState(Interpreter& in, const Value& root, std::vector<StateInput> known,
              std::vector<std::string> taken);
  base::Status begin();
  // After forward(): what it kept. Equal to what was known when the graph is right.
  base::Result<std::vector<StateInput>> observe();
  // The outputs of what was known.
  base::Status add_outputs();
  // For `wherry inspect`.
  std::vector<std::pair<std::string, std::string>> notes() const;

 private:
  struct Place {
    Object object;
    std::string name;
  };
  std::string input_name(const StateInput& state) const;
  base::Result<Place> find(std::string_view path);
  base::Status observe_one(const Place& place, const Value& before, std::vector<StateInput>& found);
  base::Result<StateInput> compare(const StateInput& was, const Value& now);
  base::Result<StateInput> describe_new(const std::string& path, const Value& before, const Value& now);

  Interpreter& in_;
  Object root_;
  std::vector<StateInput> known_;
  std::vector<std::string> taken_;
  std::map<std::uint32_t, Place> tensors_;  // saved ones, by object
  Aten::Mark mark_;
  std::vector<std::string> reset_;  // attributes that start every call as None
};

}  // namespace wherry::torch
