#include "verify/candidates.h"

#include <algorithm>
#include <cmath>

#include "text/json.h"

namespace wherry::verify {
namespace {

using namespace program;
using tensor::CellValue;

constexpr std::size_t kMostCandidates = 12;     // per column
constexpr std::size_t kMostNodes = 200'000;     // of trees looked at
constexpr std::int64_t kMostColumns = 100'000;  // of a value; nothing comes of texts' wider ones

// Where a column of a value comes from: an input column as it is, or shifted by `offset`.
struct Source {
  std::int64_t column = -1;  // -1: computed from several
  bool is_raw = true;
  double offset = 0;
};
using Sources = std::vector<Source>;

class Collector {
 public:
  explicit Collector(const Program& program)
      : program_(program), found_(program.signature().columns.size()), sources_(program.types().size()) {
    for (std::size_t c = 0; c < found_.size(); ++c) sources_[0].push_back({static_cast<std::int64_t>(c)});
  }

  std::vector<std::vector<CellValue>> collect() {
    for (const Node& node : program_.nodes()) {
      const Sources& in = sources_[node.inputs.front()];
      Sources out = std::visit([&](const auto& op) { return follow(op, node, in); }, node.op);
      const std::int64_t columns = width(program_.types()[node.output]);
      out.resize(columns > kMostColumns ? 0 : static_cast<std::size_t>(std::max<std::int64_t>(0, columns)));
      sources_[node.output] = std::move(out);
    }
    for (std::size_t c = 0; c < found_.size(); ++c) add_defaults(c);
    return std::move(found_);
  }

 private:
  template <class Op>
  Sources follow(const Op&, const Node&, const Sources& in) {
    if constexpr (std::is_same_v<Op, ToMatrix> || std::is_same_v<Op, CheckFinite> ||
                  std::is_same_v<Op, CheckLeast>)
      return in;
    return {};
  }
  Sources follow(const SelectColumns& op, const Node&, const Sources& in) { return pick(in, op.columns); }
  Sources follow(const Concat&, const Node& node, const Sources&) {
    Sources all;
    for (const ValueId input : node.inputs)
      all.insert(all.end(), sources_[input].begin(), sources_[input].end());
    return all;
  }
  Sources follow(const Impute& op, const Node&, const Sources& in) {
    Sources kept = pick(in, op.kept);
    const auto statistics = program_.weight(op.statistics).as<double>();
    for (std::size_t j = 0; j < std::min(kept.size(), statistics.size()); ++j) add(kept[j], statistics[j]);
    return kept;
  }
  Sources follow(const ImputeCells& op, const Node&, const Sources& in) {
    Sources kept = pick(in, op.kept);
    for (std::size_t j = 0; j < std::min(kept.size(), op.statistics.size()); ++j)
      add_cell(kept[j], op.statistics[j]);
    return kept;
  }
  Sources follow(const Columnwise& op, const Node&, const Sources& in) {
    const auto operand = program_.weight(op.operand).as<double>();
    Sources out = in;
    for (std::size_t j = 0; j < in.size() && !operand.empty(); ++j) {
      const double value = operand[operand.size() == 1 ? 0 : j];
      if (op.operation == Arithmetic::kSubtract && in[j].is_raw) {
        add(in[j], value);
        out[j].offset = value;
      } else if (op.operation == Arithmetic::kDivide && in[j].column >= 0) {
        add_number(in[j].column, in[j].offset + value);
        add_number(in[j].column, in[j].offset - value);
      }
      out[j].is_raw = false;
    }
    return out;
  }
  Sources follow(const CountTerms& op, const Node&, const Sources& in) {
    const auto terms = program_.weight(op.terms).as_strings();
    std::string all;
    const std::size_t count = std::min(terms.size(), kMostCandidates - 2);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& term = terms[i * terms.size() / count];
      add_cell(in[0], term);
      all += (all.empty() ? "" : " ") + term;
    }
    add_cell(in[0], all);
    return {};
  }
  Sources follow(const HashTerms&, const Node&, const Sources& in) {
    for (const char* text : {"one two three", "four, five and SIX", "", "Ünïcode 東京 text"})
      add_cell(in[0], std::string(text));
    return {};
  }
  Sources follow(const DictFeatures& op, const Node&, const Sources& in) {
    add_record(in[0], "{}");
    const auto names = program_.weight(op.names).as_strings();
    const std::size_t count = std::min(names.size(), kMostCandidates - 1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& name = names[i * names.size() / count];
      const std::size_t cut = op.separator.empty() ? std::string::npos : name.find(op.separator);
      text::Json record;
      if (cut == std::string::npos)
        record[name] = static_cast<double>(i) + 0.5;
      else
        record[name.substr(0, cut)] = name.substr(cut + op.separator.size());
      add_record(in[0], text::write_json(record));
    }
    return {};
  }
  Sources follow(const HashFeatures& op, const Node&, const Sources& in) {
    constexpr std::string_view kRecords[][3] = {{"{}", R"({"a":1.5})", R"({"b":"x","c":true})"},
                                                {"[]", R"([["a",1.5]])", R"([["b","x"],["c",2]])"},
                                                {"[]", R"(["a"])", R"(["b","c","b"])"}};
    for (const std::string_view record : kRecords[static_cast<std::size_t>(op.form)])
      add_record(in[0], std::string(record));
    return {};
  }
  Sources follow(const OneHot& op, const Node&, const Sources& in) {
    for (std::size_t j = 0; j < std::min(in.size(), op.columns.size()); ++j)
      for (const CellValue& category : op.columns[j].categories) add_cell(in[j], category);
    return {};
  }
  Sources follow(const Ordinal& op, const Node&, const Sources& in) {
    for (std::size_t j = 0; j < std::min(in.size(), op.columns.size()); ++j)
      for (const CellValue& category : op.columns[j].categories) add_cell(in[j], category);
    return {};
  }
  Sources follow(const TreeEnsemble& op, const Node&, const Sources& in) {
    const auto features = program_.weight(op.feature).as<std::int32_t>();
    const auto thresholds = program_.weight(op.threshold).as<double>();
    const auto categories =
        op.has_categories ? program_.weight(op.category).as<std::int32_t>() : std::span<const std::int32_t>();
    for (std::size_t node = 0; node < std::min(features.size(), kMostNodes); ++node) {
      if (features[node] < 0 || static_cast<std::size_t>(features[node]) >= in.size()) continue;
      const Source& source = in[static_cast<std::size_t>(features[node])];
      const bool is_category = !categories.empty() && categories[node] >= 0;
      if (is_category) {
        for (const double code : {0.0, 1.0, 2.0}) add(source, code);
      } else {
        add(source, thresholds[node]);
      }
    }
    return {};
  }

  static Sources pick(const Sources& in, std::span<const std::int64_t> columns) {
    Sources out;
    for (const std::int64_t column : columns)
      out.push_back(column >= 0 && static_cast<std::size_t>(column) < in.size()
                        ? in[static_cast<std::size_t>(column)]
                        : Source{});
    return out;
  }

  void add(const Source& source, double value) {
    if (source.column >= 0 && source.is_raw) add_number(source.column, value);
  }
  void add_cell(const Source& source, const CellValue& value) {
    if (const auto* number = std::get_if<double>(&value)) return add(source, *number);
    if (source.column < 0 || !source.is_raw || !std::holds_alternative<std::string>(value)) return;
    const ColumnType type = program_.signature().columns[static_cast<std::size_t>(source.column)].type;
    if (type == ColumnType::kText || type == ColumnType::kAny) append(source.column, value);
  }
  void add_record(const Source& source, std::string json) {
    if (source.column >= 0 && source.is_raw) append(source.column, CellValue(std::move(json)));
  }
  void add_number(std::int64_t column, double value) {
    const ColumnType type = program_.signature().columns[static_cast<std::size_t>(column)].type;
    if (!std::isfinite(value) || type == ColumnType::kText || type == ColumnType::kRecord) return;
    if (type == ColumnType::kInteger) value = std::round(value);
    if (type == ColumnType::kBool) value = value > 0 ? 1 : 0;
    append(column, value);
  }
  void append(std::int64_t column, const CellValue& value) {
    std::vector<CellValue>& values = found_[static_cast<std::size_t>(column)];
    if (values.size() < kMostCandidates && std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
  }
  void add_defaults(std::size_t column) {
    if (found_[column].size() > 1) return;
    if (program_.signature().columns[column].type == ColumnType::kRecord) {
      append(static_cast<std::int64_t>(column), std::string("{}"));
      return;
    }
    if (program_.signature().columns[column].type == ColumnType::kText) {
      append(static_cast<std::int64_t>(column), std::string("a"));
      return;
    }
    for (const double value : {0.0, 1.0, -1.0, 10.0}) add_number(static_cast<std::int64_t>(column), value);
  }

  const Program& program_;
  std::vector<std::vector<CellValue>> found_;
  std::vector<Sources> sources_;
};

}  // namespace

std::vector<std::vector<CellValue>> candidates(const Program& program) {
  return Collector(program).collect();
}

}  // namespace wherry::verify
