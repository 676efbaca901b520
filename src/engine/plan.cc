#include "engine/plan.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "engine/frame.h"
#include "engine/kernels.h"
#include "engine/tensor_input.h"

namespace wherry::engine {

using base::cat;
using program::ValueId;
using program::ValueKind;
using tensor::DType;

struct Compiled {
  Skeleton skeleton;
  std::vector<std::uint8_t> is_borrowed;  // by value: made by an operation of ops_graph.h
  std::vector<program::Output> outputs;
  std::vector<Kernel> kernels;  // by node
};

namespace {

constexpr ValueId kInput = program::ProgramBuilder::kInput;

// What a set of outputs needs.
struct Schedule {
  OutputSet wanted = 0;
  std::vector<std::uint32_t> nodes;  // in execution order
  std::vector<ValueId> results;      // without the input, each once
  std::size_t block_rows = 1;
  std::uint64_t result_width = 0;                                      // elements per row of all results
  std::vector<std::pair<ValueId, std::vector<std::uint32_t>>> tuples;  // with what is needed of each
};

// Notes that the node needs a value of its tuple.
void add_wanted(const program::Node& node, Schedule& schedule) {
  const auto* part = std::get_if<program::GraphOutput>(&node.op);
  if (part == nullptr) return;
  const ValueId tuple = node.inputs[0];
  auto at = std::ranges::find(schedule.tuples, tuple, [](const auto& entry) { return entry.first; });
  if (at == schedule.tuples.end()) at = schedule.tuples.insert(at, {tuple, {}});
  const auto index = static_cast<std::uint32_t>(part->index);
  const auto place = std::ranges::lower_bound(at->second, index);
  if (place == at->second.end() || *place != index) at->second.insert(place, index);
}

std::size_t width_of(const Compiled& compiled, ValueId value) {
  std::size_t width = 1;
  const program::ValueType& type = compiled.skeleton.types[value];
  if (compiled.is_borrowed[value] == 0) return static_cast<std::size_t>(program::width(type));
  for (std::size_t axis = 1; axis < type.shape.size(); ++axis)
    width *= type.shape[axis] < 0 ? 0 : static_cast<std::size_t>(type.shape[axis]);
  return width;
}

// What a row of a value needs in a block; sparse rows are mostly short.
std::size_t block_width_of(const Compiled& compiled, ValueId value) {
  constexpr std::size_t kSparseWidth = 4096;
  const std::size_t width = width_of(compiled, value);
  return program::is_sparse(compiled.skeleton.types[value]) ? std::min(width, kSparseWidth) : width;
}

Schedule make_schedule(const Compiled& compiled, OutputSet wanted) {
  constexpr std::size_t kMostBlockElements = std::size_t{1} << 22;
  Schedule schedule{.wanted = wanted};
  const auto& nodes = compiled.skeleton.nodes;
  std::vector<std::uint8_t> is_needed(compiled.skeleton.types.size(), 0);
  for (std::size_t i = 0; i < compiled.outputs.size(); ++i) {
    if ((wanted & only(i)) == 0) continue;
    for (const ValueId value : compiled.outputs[i].values) {
      if (value != kInput && is_needed[value] == 0) {
        schedule.results.push_back(value);
        if (compiled.is_borrowed[value] == 0) schedule.result_width += width_of(compiled, value);
      }
      is_needed[value] = 1;
    }
  }
  std::size_t best_rows = 64;
  std::size_t block_width = 0;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (is_needed[nodes[i].output] == 0) continue;
    schedule.nodes.push_back(static_cast<std::uint32_t>(i));
    best_rows = std::max(best_rows, compiled.kernels[i].best_rows);
    if (compiled.is_borrowed[nodes[i].output] == 0) block_width += block_width_of(compiled, nodes[i].output);
    for (const ValueId input : nodes[i].inputs) is_needed[input] = 1;
    add_wanted(nodes[i], schedule);
  }
  std::ranges::reverse(schedule.nodes);
  const std::size_t fitting = kMostBlockElements / std::max<std::size_t>(block_width, 1);
  schedule.block_rows = std::clamp<std::size_t>(fitting, 1, best_rows);
  return schedule;
}

// Room for `rows` rows of a value; grows only.
void reserve(Slot& slot, const program::ValueType& type, std::size_t rows) {
  const std::size_t count = rows * slot.width;
  if (program::is_sparse(type)) return;  // grows as it is written
  if (type.kind == ValueKind::kTable) {
    at_least(slot.table.numbers, count);
    at_least(slot.table.kinds, count);
    at_least(slot.table.texts, count);
    return;
  }
  switch (type.dtype) {
    case DType::kInt64:
      at_least(slot.integers, count);
      break;
    case DType::kBool:
      at_least(slot.bools, count);
      break;
    case DType::kString:
      at_least(slot.strings, count);
      break;
    default:
      at_least(slot.doubles, count);
      break;
  }
}

// Gives a result table its exact size, and drops the kinds when all cells are numbers.
void finish_table(Slot& slot, std::size_t rows) {
  tensor::Table& table = slot.table;
  table.rows = rows;
  table.columns = slot.width;
  const std::size_t cells = rows * slot.width;
  table.numbers.resize(cells);
  table.kinds.resize(cells);
  table.texts.resize(cells);
  if (std::ranges::all_of(table.kinds,
                          [](tensor::CellKind kind) { return kind == tensor::CellKind::kNumber; })) {
    table.kinds.clear();
    table.texts.clear();
  }
}

ResultView view_of(const tensor::ResultView& tensor) {
  const std::size_t count = tensor.size();
  ResultView view{.dtype = tensor.dtype,
                  .rows = tensor.axes == 0 ? 1 : static_cast<std::size_t>(tensor.lengths[0]),
                  .is_vector = tensor.axes == 1,
                  .data = tensor.data,
                  .axes = tensor.axes,
                  .lengths = tensor.lengths};
  for (std::size_t axis = 1; axis < tensor.axes; ++axis)
    view.columns *= static_cast<std::size_t>(tensor.lengths[axis]);
  switch (tensor.dtype) {
    case DType::kFloat64:
      view.doubles = {static_cast<const double*>(tensor.data), count};
      break;
    case DType::kInt64:
      view.integers = {static_cast<const std::int64_t*>(tensor.data), count};
      break;
    case DType::kBool:
      view.bools = {static_cast<const std::uint8_t*>(tensor.data), count};
      break;
    case DType::kString:
      view.strings = tensor.texts;
      break;
    default:
      break;
  }
  return view;
}

bool is_graph_value(const program::Op& op) {
  return std::holds_alternative<program::TensorInput>(op) || std::holds_alternative<program::OnnxGraph>(op) ||
         std::holds_alternative<program::GraphOutput>(op);
}

[[noreturn]] void misuse(const char* what) {
  std::fprintf(stderr, "wherry::engine::Workspace: %s\n", what);
  std::abort();
}

}  // namespace

struct Scratch {
  std::shared_ptr<const Compiled> compiled;  // of the last run
  std::vector<Schedule> schedules;
  std::vector<Slot> slots;  // by value
  Buffers buffers;

  OutputSet available = 0;  // outputs of the last run, if it succeeded
  std::size_t rows = 0;
  const tensor::Table* input = nullptr;

  void attach(const std::shared_ptr<const Compiled>& plan) {
    if (compiled == plan) return;
    compiled = plan;
    schedules.clear();
    slots.clear();
    slots.resize(plan->skeleton.types.size());
    for (ValueId value = 0; value < slots.size(); ++value) {
      slots[value].width = width_of(*plan, value);
      slots[value].is_borrowed = plan->is_borrowed[value] != 0;
    }
  }

  const Schedule& schedule_for(OutputSet wanted) {
    constexpr std::size_t kMostSchedules = 16;
    const auto found = std::ranges::find(schedules, wanted, &Schedule::wanted);
    if (found != schedules.end()) return *found;
    if (schedules.size() == kMostSchedules) schedules.erase(schedules.begin());
    return schedules.emplace_back(make_schedule(*compiled, wanted));
  }

  void prepare(const Schedule& schedule) {
    const bool is_one_block = compiled->skeleton.signature.takes_tensors();
    const std::size_t block = is_one_block ? rows : std::min(rows, schedule.block_rows);
    for (const std::uint32_t node : schedule.nodes)
      slots[compiled->skeleton.nodes[node].output].is_result = false;
    for (const ValueId value : schedule.results) slots[value].is_result = true;
    for (const auto& [tuple, wanted] : schedule.tuples) slots[tuple].wanted = wanted;
    for (const std::uint32_t node : schedule.nodes) {
      const ValueId value = compiled->skeleton.nodes[node].output;
      if (slots[value].is_borrowed) continue;
      reserve(slots[value], compiled->skeleton.types[value], slots[value].is_result ? rows : block);
    }
  }

  void enter_block(std::size_t first, std::size_t count) {
    if (compiled->skeleton.signature.takes_tensors()) return;
    const std::size_t at = first * input->columns;
    const bool is_numeric = input->is_numeric();
    slots[kInput].columns = {count, input->columns, input->numbers.data() + at,
                             is_numeric ? nullptr : input->kinds.data() + at,
                             is_numeric ? nullptr : input->texts.data() + at};
  }
};

Workspace::Workspace() : scratch_(std::make_unique<Scratch>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

ResultView Workspace::result(std::size_t output, std::size_t k) const {
  const Scratch& scratch = *scratch_;
  if (output >= Plan::kMostOutputs || (scratch.available & only(output)) == 0)
    misuse("this output was not computed by the last run");
  const auto& values = scratch.compiled->outputs[output].values;
  if (k >= values.size()) misuse("the output has fewer values");
  const program::ValueType& type = scratch.compiled->skeleton.types[values[k]];
  const Slot& slot = scratch.slots[values[k]];
  if (slot.is_borrowed) return view_of(slot.tensor);
  ResultView view{
      .kind = type.kind,
      .dtype = type.dtype,
      .rows = scratch.rows,
      .columns = slot.width,
      .is_vector = type.shape.size() == 1,
      .axes = static_cast<std::uint8_t>(type.shape.size()),
      .lengths = {static_cast<std::int64_t>(scratch.rows), static_cast<std::int64_t>(slot.width)}};
  const std::size_t count = scratch.rows * slot.width;
  if (type.kind == ValueKind::kTable) {
    view.table = values[k] == kInput ? scratch.input : &slot.table;
    return view;
  }
  switch (type.dtype) {
    case DType::kInt64:
      view.integers = std::span(slot.integers).first(count);
      view.data = view.integers.data();
      break;
    case DType::kBool:
      view.bools = std::span(slot.bools).first(count);
      view.data = view.bools.data();
      break;
    case DType::kString:
      view.strings = std::span(slot.strings).first(count);
      break;
    default:
      view.doubles = std::span(slot.doubles).first(count);
      view.data = view.doubles.data();
      break;
  }
  return view;
}

Plan::Plan(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

base::Result<Plan> Plan::compile(program::Program program) {
  auto compiled = std::make_shared<Compiled>();
  Skeleton& skeleton = compiled->skeleton;
  skeleton.signature = program.signature();
  skeleton.nodes.assign(program.nodes().begin(), program.nodes().end());
  skeleton.types.assign(program.types().begin(), program.types().end());
  compiled->outputs.assign(program.outputs().begin(), program.outputs().end());
  if (compiled->outputs.size() > kMostOutputs)
    return base::fail(base::Code::kLimit, "engine.limit",
                      cat("the model has ", compiled->outputs.size(), " outputs, more than ", kMostOutputs));
  for (const program::ValueType& type : skeleton.types)
    if (program::width(type) > kMostColumns)
      return base::fail(base::Code::kLimit, "engine.limit",
                        cat("a value of ", program::width(type), " columns, more than ", kMostColumns));
  compiled->is_borrowed.assign(skeleton.types.size(), 0);
  for (const program::Node& node : skeleton.nodes)
    compiled->is_borrowed[node.output] = is_graph_value(node.op) ? 1 : 0;
  compiled->kernels.reserve(skeleton.nodes.size());
  for (const program::Node& node : skeleton.nodes) {
    const Wiring wiring{skeleton, program, node};
    TRY_ASSIGN(Kernel kernel, std::visit([&](const auto& op) { return make_kernel(op, wiring); }, node.op));
    compiled->kernels.push_back(std::move(kernel));
  }
  return Plan(std::move(compiled));
}

const program::Signature& Plan::signature() const {
  return compiled_->skeleton.signature;
}

std::span<const program::Output> Plan::outputs() const {
  return compiled_->outputs;
}

const program::ValueType& Plan::type(ValueId value) const {
  return compiled_->skeleton.types[value];
}

OutputSet Plan::all_outputs() const {
  return outputs().size() == kMostOutputs ? ~OutputSet{0} : only(outputs().size()) - 1;
}

std::optional<std::size_t> Plan::find_output(std::string_view name) const {
  const auto found = std::ranges::find(outputs(), name, &program::Output::name);
  if (found == outputs().end()) return std::nullopt;
  return static_cast<std::size_t>(found - outputs().begin());
}

base::Status Plan::run(const tensor::Table& input, OutputSet wanted, Workspace& workspace) const {
  Scratch& scratch = *workspace.scratch_;
  scratch.available = 0;
  const std::size_t expected = signature().columns.size();
  if (input.columns != expected)
    return base::fail(base::Code::kInvalidInput, "engine.column_count",
                      cat("a row has ", input.columns, input.columns == 1 ? " column" : " columns",
                          ", the model takes ", expected),
                      "send one value for each column the model was trained with");
  if (signature().takes_tensors()) TRY(check_tensors(signature(), input));
  scratch.attach(compiled_);
  const Schedule& schedule = scratch.schedule_for(wanted & all_outputs());
  if (schedule.result_width > 0 && input.rows > kMostElements / schedule.result_width)
    return base::fail(base::Code::kLimit, "engine.limit",
                      cat(input.rows, " rows give more than ", kMostElements, " results"),
                      "send fewer rows at once");
  scratch.rows = input.rows;
  scratch.input = &input;
  scratch.prepare(schedule);
  const auto run_block = [&](std::size_t first, std::size_t count) -> base::Status {
    scratch.enter_block(first, count);
    const Frame frame(scratch.slots, scratch.buffers, input, first, count);
    for (const std::uint32_t node : schedule.nodes) TRY(compiled_->kernels[node].run(frame));
    return {};
  };
  if (signature().takes_tensors()) {
    TRY(run_block(0, input.rows));  // of 0 rows too: only the graph knows what it answers to them
  } else {
    for (std::size_t first = 0; first < input.rows; first += schedule.block_rows)
      TRY(run_block(first, std::min(schedule.block_rows, input.rows - first)));
  }
  for (const ValueId value : schedule.results)
    if (type(value).kind == ValueKind::kTable) finish_table(scratch.slots[value], input.rows);
  scratch.available = schedule.wanted;
  return {};
}

}  // namespace wherry::engine
