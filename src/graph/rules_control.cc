// If, Loop and Scan.
#include <array>

#include "graph/rules.h"

#include "base/text.h"

namespace wherry::graph {
namespace {

const Block* body(Inference& i, std::string_view name) {
  const auto* value = find(i.node.attributes, name);
  const auto* block = value ? std::get_if<std::shared_ptr<const Block>>(value) : nullptr;
  if (block == nullptr || *block == nullptr) {
    i.fail(base::cat("there is no ", name));
    return nullptr;
  }
  return block->get();
}

void branch(Inference& i) {
  const Block* yes = body(i, "then_branch");
  const Block* no = body(i, "else_branch");
  if (yes == nullptr || no == nullptr) return;
  if (yes->outputs.size() != i.outputs.size() || no->outputs.size() != i.outputs.size())
    return i.fail("the branches have different numbers of outputs");
  for (std::size_t k = 0; k < i.outputs.size(); ++k) {
    const Type& a = i.builder.type(yes->outputs[k]);
    const Type& b = i.builder.type(no->outputs[k]);
    if (a.dtype != b.dtype)
      return i.fail(base::cat("the branches give ", to_string(a), " and ", to_string(b)));
    i.outputs[k] = common(i.builder, a, b);
  }
}

// A value which is `first` before the loop and `next` behind each round.
Type carried(Inference& i, const Type& first, const Type& next) {
  if (first.dtype != next.dtype)
    i.fail(base::cat("a carried value is ", to_string(first), " at first and ", to_string(next), " later"));
  return common(i.builder, first, next);
}

Type stacked(Inference& i, const Type& each, const Dim& length) {
  if (!each.ranked) return each;
  Type type = each;
  type.dims.insert(type.dims.begin(), length);
  for (std::size_t k = 1; k < type.dims.size(); ++k)
    if (!type.dims[k].known()) type.dims[k] = i.builder.fresh();
  return type;
}

// Body: iteration, condition, carried… → condition, carried…, scanned…
void loop(Inference& i) {
  const Block* block = body(i, "body");
  if (block == nullptr) return;
  const std::size_t count = i.node.inputs.size() - std::min<std::size_t>(2, i.node.inputs.size());
  if (block->inputs.size() != count + 2 || block->outputs.size() != i.outputs.size() + 1 ||
      i.outputs.size() < count)
    return i.fail("the body has other numbers of inputs or outputs");
  for (std::size_t k = 0; k < i.outputs.size(); ++k) {
    const Type& next = i.builder.type(block->outputs[k + 1]);
    i.outputs[k] = k < count ? carried(i, i.in(k + 2), next) : stacked(i, next, i.builder.fresh());
  }
}

// Body: states…, one slice of each scanned input → states…, scanned outputs…
void scan(Inference& i) {
  const Block* block = body(i, "body");
  if (block == nullptr) return;
  const auto scanned = static_cast<std::size_t>(std::max<std::int64_t>(i.int_or("num_scan_inputs", 0), 0));
  if (scanned > i.node.inputs.size() || block->inputs.size() != i.node.inputs.size() ||
      block->outputs.size() != i.outputs.size())
    return i.fail("the body has other numbers of inputs or outputs");
  const std::size_t states = i.node.inputs.size() - scanned;
  if (i.outputs.size() < states) return i.fail("the body has fewer outputs than states");
  Dim length = i.builder.fresh();
  for (std::size_t k = states; k < i.node.inputs.size(); ++k)
    if (i.in(k).ranked && i.in(k).rank() > 0 && ints_of(i.node.attributes, "scan_input_axes").empty())
      length = i.in(k).dims[0];
  const bool along_first = ints_of(i.node.attributes, "scan_output_axes").empty();
  for (std::size_t k = 0; k < i.outputs.size(); ++k) {
    const Type& next = i.builder.type(block->outputs[k]);
    if (k < states)
      i.outputs[k] = carried(i, i.in(k), next);
    else if (along_first)
      i.outputs[k] = stacked(i, next, length);
    else
      i.outputs[k].dtype = next.dtype;
  }
}

constexpr auto kRows = std::to_array<OpRow>({
    {"If", 1, 1, branch},
    {"Loop", 2, kAny, loop},
    {"Scan", 1, kAny, scan},
});

}  // namespace

std::span<const OpRow> control_rows() {
  return kRows;
}

}  // namespace wherry::graph
