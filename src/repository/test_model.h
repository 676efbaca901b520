// A small model on disk, for tests of this module and of serve: columns amount (number) and country (text);
// class "fraud" where amount + 2·(country is DE) > 10, else "ok".
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "program/bundle.h"

namespace wherry::repository {

inline program::Program test_program() {
  using tensor::Tensor;
  program::ProgramBuilder builder(
      {{{"amount", program::ColumnType::kNumber}, {"country", program::ColumnType::kText}}, true, false});
  const auto coefficients = builder.weight("coefficients", Tensor::of<double>({2, 2}, {0, 0, 1, 2}));
  const auto intercept = builder.weight("intercept", Tensor::of<double>({2}, {0, -10}));
  const auto labels = builder.weight("labels", Tensor::of_strings({2}, {"ok", "fraud"}));
  const auto add = [&](program::Op op, std::vector<program::ValueId> inputs) {
    const auto value = builder.add(std::move(op), std::move(inputs));
    if (!value) std::abort();
    return *value;
  };
  const auto amount = add(program::SelectColumns{.columns = {0}}, {program::ProgramBuilder::kInput});
  const auto country = add(program::SelectColumns{.columns = {1}}, {program::ProgramBuilder::kInput});
  const auto encoded =
      add(program::OneHot{{{.categories = {std::string("DE")}, .targets = {0}, .width = 1}}}, {country});
  const auto number = add(program::ToMatrix{}, {amount});
  const auto checked = add(program::CheckFinite{.estimator = "LogisticRegression"}, {number});
  const auto matrix = add(program::Concat{}, {checked, encoded});
  const auto scores = add(program::Linear{coefficients, intercept}, {matrix});
  const auto proba = add(program::Softmax{}, {scores});
  const auto predicted = add(program::TakeLabels{labels}, {add(program::Argmax{}, {scores})});
  const bool complete = builder.output({"predict", {predicted}, {}}).has_value() &&
                        builder.output({"predict_proba", {proba}, {"ok", "fraud"}}).has_value();
  auto program = std::move(builder).build();
  if (!complete || !program) std::abort();
  return std::move(*program);
}

inline constexpr std::string_view kGoodGolden =
    "{\"golden\": 1, \"framework\": \"scikit-learn\", \"version\": \"1.9.1\", \"source\": \"framework\"}\n"
    "{\"columns\": [\"amount\", \"country\"], \"row\": [9, \"DE\"], \"outputs\": {\"predict\": \"fraud\"}}\n"
    "{\"columns\": [\"amount\", \"country\"], \"row\": [9, \"</script>\"], \"outputs\": {\"predict\": "
    "\"ok\"}}\n";

inline void write_test_bundle(const std::filesystem::path& folder, std::string_view golden = kGoodGolden) {
  program::Bundle bundle;
  bundle.name = "fraud";
  bundle.program = test_program();
  bundle.provenance.framework = "scikit-learn";
  bundle.provenance.framework_version = "1.9.1";
  bundle.golden = golden;
  bundle.golden_source = golden.empty() ? "" : "framework";
  if (!program::write_bundle(bundle, folder, base::real_files())) std::abort();
}

}  // namespace wherry::repository
