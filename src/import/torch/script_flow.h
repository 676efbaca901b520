// What a body of statements does by its text, and one way of a branch while it runs as a block of the graph.
// Private to the interpreter.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/error.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {

using Variables = std::map<std::string_view, Value, std::less<>>;

// Names that the body gives values to.
void add_assigned(const python::Body& body, std::vector<std::string_view>& names);
// Lists that the body appends to: x.append(…), torch.append(x, …).
void add_appended(const python::Body& body, std::vector<std::string_view>& names);
bool leaves(const python::Body& body);  // by return, break or continue
bool only_raises(const python::Body& body);

inline constexpr int kDeepestValue = 60;  // lists in lists that may be merged; deeper ones hold themselves

// The tensors and symbols in a value, in order.
template <class Visit>
void each_leaf(const Value& value, const Visit& visit, int depth = 0) {
  if (depth > kDeepestValue) return;
  if (const Values* items = sequence(value)) {
    for (const Value& item : *items) each_leaf(item, visit, depth + 1);
  } else if (const auto* dict = value.get<Dict>()) {
    for (const auto& entry : (*dict)->entries) each_leaf(entry.second, visit, depth + 1);
  } else if (value.is<Tensor>() || value.is<Symbol>()) {
    visit(value);
  }
}

// One way of a branch, or the body of a loop, while and after it runs as a block. What it changes outside of
// itself (variables of the frame, attributes, the memory of tensors) is taken back at its end and kept here.
class BranchState {
 public:
  explicit BranchState(Interpreter& interpreter);
  ~BranchState();
  BranchState(const BranchState&) = delete;
  BranchState& operator=(const BranchState&) = delete;

  // What `value` and everything that the way changed hold now, as outputs of the block.
  std::vector<graph::ValueId> results(const Value& value);
  // Leaves the block.
  base::Status end(const std::vector<graph::ValueId>& outputs);
  // What the tensor held at the end of the way.
  graph::ValueId value_of(const Tensor& tensor) const;
  const AttributeChange* find(const AttributeChange& like) const;  // null: not changed by this way

  Variables before;
  Variables after;
  std::vector<AttributeChange> attributes;
  std::vector<Aten::Change> writes;
  std::shared_ptr<const graph::Block> block;

 private:
  Interpreter& in_;
  std::vector<AttributeChange>* outer_;
  Aten::Mark mark_;
  std::map<std::uint32_t, graph::ValueId> held_;
};

}  // namespace wherry::torch
