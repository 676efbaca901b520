#include "import/tensorflow/resources.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "import/tensorflow/tensor_proto.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;
using tensor::DType;
using tensor::Tensor;

constexpr std::size_t kMostScannedFrames = 100'000;

NodePlace node_of(const Place& place) {
  return {place.frame, place.node};
}

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_model", std::move(message),
                    "the file is damaged; save the model again or copy the whole folder again");
}

// The handle's name among all of one kind, "" when it has none.
std::string_view shared_name(const NodeDef& node) {
  const auto name = node.attributes.text("shared_name");
  return name && !name->empty() ? *name : node.name;
}

Result<Tensor> column_tensor(const std::vector<std::string>& texts, DType dtype, std::string_view file) {
  const auto count = static_cast<std::int64_t>(texts.size());
  if (dtype == DType::kString) return Tensor::of_strings({count}, texts);
  std::vector<std::int64_t> numbers;
  for (const std::string& text : texts) {
    const bool negative = text.starts_with('-');
    const auto number = base::parse_unsigned(std::string_view(text).substr(negative ? 1 : 0));
    if (!number || *number > INT64_MAX)
      return bad(
          cat("the asset ", base::quoted(file), " has ", base::quoted(text), " where a number belongs"));
    numbers.push_back(negative ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number));
  }
  return Tensor::of<std::int64_t>({count}, std::move(numbers));
}

}  // namespace

Result<Tensor> Resources::constant(std::uint32_t frame, std::string_view input) {
  TRY_ASSIGN(const Place place, tree_.resolve(frame, input));
  if (place.argument) return bad(cat(base::quoted(input), " is an input of the model, not a constant"));
  const NodeDef& node = tree_.node(place);
  const auto message = node.attributes.tensor("value");
  if (node.op != "Const" || !message)
    return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                      cat("node ", base::quoted(node.name), " (", node.op, ") is not a constant"),
                      "wherry loads tables and variables from constants only");
  return read_tensor(*message, model_.owner());
}

Status Resources::scan_restore(std::uint32_t frame) {
  const auto nodes = tree_.nodes(frame);
  for (const NodeDef& node : nodes) {
    if (node.op != "AssignVariableOp" && node.op != "Assign") continue;
    if (node.inputs.size() < 2) continue;
    const auto handle = tree_.resolve(frame, node.inputs[0]);
    const auto source = tree_.resolve(frame, node.inputs[1]);
    if (!handle || !source || handle->argument || source->argument) continue;
    const NodeDef& restore = tree_.node(*source);
    if (restore.op != "RestoreV2" || restore.inputs.size() < 3) continue;
    auto names = restored_names_.find(node_of(*source));
    if (names == restored_names_.end()) {
      TRY_ASSIGN(Tensor read, constant(source->frame, restore.inputs[1]));
      if (read.dtype() != DType::kString) return bad("a restore operation has no list of names");
      names = restored_names_.emplace(node_of(*source), std::move(read)).first;
    }
    const auto texts = names->second.as_strings();
    if (source->output >= texts.size()) return bad("a restore operation names too few variables");
    keys_[node_of(*handle)] = texts[source->output];
    shared_[std::string(shared_name(tree_.node(*handle)))] = texts[source->output];
  }
  return {};
}

Status Resources::find_variables() {
  if (variables_found_) return {};
  variables_found_ = true;
  TRY(scan_restore(0));  // TensorFlow 1: save/Assign nodes in the main graph
  const std::string_view name = model_.graph().restore_op;
  const std::string_view node_name = name.substr(0, name.find(':'));
  const auto found = model_.graph().node_index.find(node_name);
  if (found == model_.graph().node_index.end()) return {};
  if (tree_.callee(model_.graph().nodes[found->second]).empty()) return {};
  TRY_ASSIGN(std::uint32_t frame, tree_.enter(0, static_cast<std::uint32_t>(found->second)));
  std::vector<std::uint32_t> open{frame};
  for (std::size_t i = 0; i < open.size() && i < kMostScannedFrames; ++i) {
    TRY(scan_restore(open[i]));
    const auto nodes = tree_.nodes(open[i]);
    for (std::uint32_t n = 0; n < nodes.size(); ++n)
      if (!tree_.callee(nodes[n]).empty()) {
        TRY_ASSIGN(frame, tree_.enter(open[i], n));
        open.push_back(frame);
      }
  }
  return {};
}

Result<std::string> Resources::variable_key(NodePlace handle) {
  TRY(find_variables());
  if (const auto found = keys_.find(handle); found != keys_.end()) return found->second;
  const NodeDef& node = tree_.node({handle.first, handle.second, 0, false});
  const std::string_view shared = shared_name(node);
  if (const auto found = shared_.find(shared); found != shared_.end()) return found->second;
  for (const std::string_view name : {shared, node.name})
    if (model_.checkpoint().has(name)) return std::string(name);
  return base::fail(
      base::Code::kInvalidInput, "tensorflow.missing_variable",
      cat("variable ", base::quoted(shared), " is not restored from the checkpoint"),
      "the model was saved without this variable's value; save it again with all its variables");
}

Result<Tensor> Resources::variable(NodePlace handle) {
  TRY_ASSIGN(const std::string key, variable_key(handle));
  return model_.checkpoint().read(key);
}

// TextFileInitializer: -1 is the line's number, -2 the whole line, else a column.
Result<Table> Resources::from_file(std::uint32_t frame, const NodeDef& node) {
  TRY_ASSIGN(const Place place, tree_.resolve(frame, node.inputs[1]));
  if (place.argument) return bad("a table is initialised from an input of the model");
  TRY_ASSIGN(const Place handle, tree_.resolve(frame, node.inputs[0]));
  const NodeDef& table = tree_.node(handle);
  TRY_ASSIGN(const std::string content, model_.asset(tree_.node(place).name));
  const std::int64_t key_column = node.attributes.integer("key_index").value_or(-2);
  const std::int64_t value_column = node.attributes.integer("value_index").value_or(-1);
  const std::string_view delimiter = node.attributes.text("delimiter").value_or("\t");
  const std::int64_t most = node.attributes.integer("vocab_size").value_or(-1);
  const std::int64_t offset = node.attributes.integer("offset").value_or(0);
  std::vector<std::string> keys, values;
  std::vector<std::string_view> lines = base::split(content, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (std::size_t i = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0)); i < lines.size(); ++i) {
    if (most >= 0 && keys.size() == static_cast<std::size_t>(most)) break;
    std::string_view line = lines[i];
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto columns = base::split(line, delimiter.empty() ? '\t' : delimiter.front());
    const auto cell = [&](std::int64_t column, std::vector<std::string>& out) -> Status {
      if (column == -1)
        out.push_back(cat(i - static_cast<std::size_t>(std::max<std::int64_t>(offset, 0))));
      else if (column == -2)
        out.emplace_back(line);
      else if (column >= 0 && static_cast<std::size_t>(column) < columns.size())
        out.emplace_back(columns[static_cast<std::size_t>(column)]);
      else
        return bad(cat("line ", i + 1, " of a table's asset has too few columns"));
      return {};
    };
    TRY(cell(key_column, keys));
    TRY(cell(value_column, values));
  }
  const auto key_type = to_dtype(table.attributes.integer("key_dtype").value_or(kString));
  const auto value_type = to_dtype(table.attributes.integer("value_dtype").value_or(kInt64));
  if (!key_type || !value_type) return bad("a table is of no dtype");
  Table read;
  TRY_ASSIGN(read.keys, column_tensor(keys, *key_type, tree_.node(place).name));
  TRY_ASSIGN(read.values, column_tensor(values, *value_type, tree_.node(place).name));
  return read;
}

Status Resources::scan_tables(std::uint32_t frame, const NodeDef& node) {
  if (node.op.starts_with("InitializeTableFromTextFile") && node.inputs.size() >= 2) {
    TRY_ASSIGN(const Place handle, tree_.resolve(frame, node.inputs[0]));
    if (handle.argument) return {};
    TRY_ASSIGN(tables_[node_of(handle)], from_file(frame, node));
    shared_tables_[std::string(shared_name(tree_.node(handle)))] = node_of(handle);
    return {};
  }
  const bool imports = node.op == "LookupTableImportV2" || node.op == "LookupTableImport" ||
                       node.op == "InitializeTableV2" || node.op == "InitializeTable";
  if (!imports || node.inputs.size() < 3) return {};
  TRY_ASSIGN(const Place handle, tree_.resolve(frame, node.inputs[0]));
  if (handle.argument) return {};
  const auto keys = constant(frame, node.inputs[1]);
  const auto values = constant(frame, node.inputs[2]);
  if (!keys || !values) return {};  // the restore function of a mutable table imports what it read
  if (keys->size() != values->size()) return bad("a table has more keys than values");
  tables_[node_of(handle)] = {*keys, *values};
  shared_tables_[std::string(shared_name(tree_.node(handle)))] = node_of(handle);
  return {};
}

Status Resources::find_tables() {
  if (tables_found_) return {};
  tables_found_ = true;
  std::vector<std::uint32_t> open{0};
  for (std::size_t i = 0; i < open.size() && i < kMostScannedFrames; ++i) {
    const auto nodes = tree_.nodes(open[i]);
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
      TRY(scan_tables(open[i], nodes[n]));
      if (tree_.callee(nodes[n]).empty()) continue;
      TRY_ASSIGN(const std::uint32_t frame, tree_.enter(open[i], n));
      open.push_back(frame);
    }
  }
  return {};
}

Result<const Table*> Resources::table(NodePlace handle) {
  TRY(find_tables());
  if (const auto found = tables_.find(handle); found != tables_.end()) return &found->second;
  const NodeDef& node = tree_.node({handle.first, handle.second, 0, false});
  if (const auto found = shared_tables_.find(shared_name(node)); found != shared_tables_.end())
    return &tables_.at(found->second);
  return base::fail(
      base::Code::kUnsupported, "tensorflow.unsupported_use",
      cat("table ", base::quoted(shared_name(node)), " is not initialised from constants or a file"),
      "wherry serves tables whose keys are fixed when the model is saved");
}

}  // namespace wherry::tensorflow
