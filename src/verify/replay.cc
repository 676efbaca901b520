#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <variant>

#include "base/text.h"
#include "engine/results.h"
#include "protocol/request.h"
#include "verify/tensors.h"
#include "verify/values.h"
#include "verify/verify.h"

namespace wherry::verify {
namespace {

using protocol::GoldenExample;
using protocol::GoldenOutput;
using protocol::GoldenValue;

constexpr std::size_t kLongestValue = 160;

std::optional<double> as_number(const GoldenValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1.0 : 0.0;
  return std::nullopt;
}

bool is_absent(const GoldenValue& value) {
  const auto* number = std::get_if<double>(&value);
  return std::holds_alternative<std::monostate>(value) || (number != nullptr && std::isnan(*number));
}

// Compares one value, counting it in `report`.
bool agree(const GoldenValue& expected, const GoldenValue& got, const Tolerance& tolerance,
           OutputReport& report) {
  ++report.values;
  if (expected == got || (is_absent(expected) && is_absent(got))) {
    ++report.identical;
    return true;
  }
  const auto e = as_number(expected);
  const auto g = as_number(got);
  if (!e || !g || is_absent(expected) || is_absent(got)) return false;
  if (*e == *g &&
      !(std::holds_alternative<std::int64_t>(expected) && std::holds_alternative<std::int64_t>(got))) {
    ++report.identical;
    return true;
  }
  const bool is_measure = std::holds_alternative<double>(expected) || std::holds_alternative<double>(got);
  if (!is_measure || !std::isfinite(*e) || !std::isfinite(*g)) return false;
  const double deviation = std::abs(*g - *e);
  report.max_relative = std::max(report.max_relative, *e == 0 ? deviation : deviation / std::abs(*e));
  return deviation <= tolerance.absolute + tolerance.relative * std::abs(*e);
}

std::vector<GoldenValue> flatten(const std::vector<std::vector<GoldenValue>>& parts) {
  std::vector<GoldenValue> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

bool same_structure(const GoldenOutput& expected, const std::vector<std::vector<GoldenValue>>& got) {
  if (expected.depth < 2) return true;
  return std::equal(expected.parts.begin(), expected.parts.end(), got.begin(), got.end(),
                    [](const auto& a, const auto& b) { return a.size() == b.size(); });
}

// "[0.25, 0.75]", cut when long.
std::string text_of(int depth, const std::vector<std::vector<GoldenValue>>& parts) {
  GoldenExample example;
  example.outputs.push_back({"", depth, parts});
  protocol::Golden golden;
  golden.examples.push_back(std::move(example));
  const std::string line = protocol::write_golden(golden);
  const std::size_t start = line.find("\"\": ", line.find('\n')) + 4;
  std::string text = line.substr(start, line.rfind("}}") - start);
  if (text.size() > kLongestValue) text = text.substr(0, kLongestValue) + "…";
  return text;
}

struct Replayer {
  const engine::Plan& plan;
  const protocol::Schema& schema;
  const Tolerance& tolerance;
  Report& report;
  engine::Workspace workspace;
  engine::Results results;
  protocol::Request request;

  base::Status example(const GoldenExample& example);
  base::Status tensors(const GoldenExample& example);
  base::Result<engine::OutputSet> wanted(const GoldenExample& example) const;
  bool compare(const GoldenOutput& expected, const tensor::NamedResult& got, std::size_t line);
  OutputReport& output_report(std::string_view name);
  void mismatch(Mismatch mismatch) {
    if (report.mismatches.size() < Report::kMostMismatches) report.mismatches.push_back(std::move(mismatch));
  }
};

std::unexpected<base::Error> not_this_model(std::size_t line, const std::string& why) {
  return base::fail(base::Code::kInvalidInput, "verify.not_this_model",
                    base::cat("golden examples, line ", line, ": ", why),
                    "the examples were recorded for another model; record them again with the model served");
}

OutputReport& Replayer::output_report(std::string_view name) {
  for (OutputReport& known : report.outputs)
    if (known.name == name) return known;
  return report.outputs.emplace_back(OutputReport{.name = std::string(name)});
}

base::Result<engine::OutputSet> Replayer::wanted(const GoldenExample& example) const {
  engine::OutputSet set = 0;
  for (const GoldenOutput& output : example.outputs) {
    const auto index = plan.find_output(output.name);
    if (!index)
      return not_this_model(example.line, base::cat("the model has no output ", base::quoted(output.name)));
    set |= engine::only(*index);
  }
  return set;
}

bool Replayer::compare(const GoldenOutput& expected, const tensor::NamedResult& got, std::size_t line) {
  const auto parts = output_of(got).parts;
  const std::vector<GoldenValue> wanted_values = flatten(expected.parts);
  const std::vector<GoldenValue> got_values = flatten(parts);
  OutputReport& counts = output_report(expected.name);
  bool agrees = same_structure(expected, parts) && wanted_values.size() == got_values.size();
  for (std::size_t i = 0; i < std::min(wanted_values.size(), got_values.size()); ++i)
    agrees = agree(wanted_values[i], got_values[i], tolerance, counts) && agrees;
  if (!agrees)
    mismatch({line, expected.name, text_of(expected.depth, expected.parts), text_of(expected.depth, parts)});
  return agrees;
}

// As example(), of a tensor model.
base::Status Replayer::tensors(const GoldenExample& example) {
  engine::OutputSet set = 0;
  for (const protocol::GoldenTensor& expected : example.tensors) {
    const auto index = plan.find_output(expected.name);
    if (!index)
      return not_this_model(example.line, base::cat("the model has no output ", base::quoted(expected.name)));
    set |= engine::only(*index);
  }
  const auto sent = request_of(plan.signature(), example);
  if (!sent) return not_this_model(example.line, sent.error().message);
  ++report.examples;
  if (const auto run = plan.run(*sent, set, workspace); !run) {
    ++report.failed;
    mismatch({example.line, example.tensors.front().name, "an answer", base::describe(run.error())});
    return {};
  }
  const double most =
      report.source == protocol::GoldenSource::kWherry ? tolerance.own_tensors : tolerance.tensors;
  bool agrees = true;
  for (const tensor::NamedResult& got : results.collect(plan, workspace, set))
    for (const protocol::GoldenTensor& expected : example.tensors) {
      if (got.name != expected.name || got.values.size() != 1 || got.values[0].table != nullptr) continue;
      const TensorAgreement found = verify::compare(expected, got.values[0], most);
      OutputReport& counts = output_report(expected.name);
      counts.values += found.values;
      counts.identical += found.identical;
      counts.max_relative = std::max(counts.max_relative, found.deviation);
      if (found.agrees) continue;
      agrees = false;
      mismatch({example.line, expected.name, found.expected, found.got});
    }
  report.failed += !agrees;
  return {};
}

base::Status Replayer::example(const GoldenExample& example) {
  if (!example.tensors.empty() != plan.signature().takes_tensors())
    return not_this_model(example.line, plan.signature().takes_tensors()
                                            ? "the example has rows, but the model takes tensors"
                                            : "the example has tensors, but the model takes rows");
  if (!example.tensors.empty()) return tensors(example);
  TRY_ASSIGN(const engine::OutputSet set, wanted(example));
  if (const auto read = protocol::read_cells(example.columns, std::span(&example.row, 1), schema, request);
      !read)
    return not_this_model(example.line, read.error().message);
  ++report.examples;
  if (const auto run = plan.run(request.table, set, workspace); !run) {
    ++report.failed;
    const GoldenOutput& first = example.outputs.front();
    mismatch({example.line, first.name, text_of(first.depth, first.parts), base::describe(run.error())});
    return {};
  }
  const auto found = results.collect(plan, workspace, set);
  bool agrees = true;
  for (const GoldenOutput& expected : example.outputs)
    for (const tensor::NamedResult& got : found)
      if (got.name == expected.name) agrees = compare(expected, got, example.line) && agrees;
  report.failed += !agrees;
  return {};
}

}  // namespace

base::Result<Report> replay(const engine::Plan& plan, const protocol::Schema& schema,
                            const protocol::Golden& golden, const Tolerance& tolerance) {
  Report report{
      .source = golden.source, .framework = golden.framework, .framework_version = golden.framework_version};
  Replayer replayer{plan, schema, tolerance, report, {}, {}, {}};
  for (const GoldenExample& example : golden.examples) TRY(replayer.example(example));
  return report;
}

std::string summary(const Report& report) {
  const std::string recorder =
      report.source == protocol::GoldenSource::kFramework
          ? base::cat(report.framework, report.framework_version.empty() ? "" : " ", report.framework_version)
          : "wherry itself";
  double largest = 0;
  bool all_identical = true;
  for (const OutputReport& output : report.outputs) {
    largest = std::max(largest, output.max_relative);
    all_identical = all_identical && output.identical == output.values;
  }
  const std::string noun =
      base::cat("golden prediction", report.examples == 1 ? "" : "s", " recorded by ", recorder);
  if (!report.passed())
    return base::cat(report.failed, " of ", report.examples, " ", noun, " differ",
                     report.failed == 1 ? "s" : "");
  char deviation[32];
  std::snprintf(deviation, sizeof deviation, "%.1e", largest);
  return base::cat(report.examples, " ", noun, report.examples == 1 ? " agrees" : " agree",
                   all_identical ? std::string(", all values identical")
                                 : base::cat(", largest relative deviation ", deviation));
}

}  // namespace wherry::verify
