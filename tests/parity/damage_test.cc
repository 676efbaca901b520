// Damaged model files: whatever is cut off or overwritten, the answer is an error or a model that runs.
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "engine/plan.h"
#include "import/pickle/document.h"
#include "import/sklearn/sklearn.h"

namespace wherry::parity {
namespace {

const char* const kModels[] = {
    "1.2.2/tree_classifier_multi_output",
    "1.4.2/gb_classifier_multi",
    "1.9.1/hist_categorical_mask_nan",
    "1.9.1/hist_categorical_from_dtype",
    "1.9.1/columns_by_name_logistic",
    "1.2.2/columns_by_index_frame",
    "1.9.1/one_hot_min_frequency_share_drop",
    "1.9.1/ordinal_max_categories_missing",
    "1.9.1/imputer_indicator",
    "1.4.2/logistic_ovr",
    "1.9.1/svc_probability",
    "1.2.2/svc_sparse",
    "1.9.1/gpc_three",
    "1.9.1/gpr_everything",
    "1.4.2/categorical_nb",
    "1.9.1/polynomial_count_sketch",
    "1.2.2/kernel_pca_rbf",
    "1.9.1/isotonic_clip",
    "1.9.1/mlp_classifier_multilabel",
    "1.4.2/qda",
    "1.9.1/pls_regression",
    "1.9.1/tfidf_logistic",
    "1.2.2/tfidf_ngrams_sublinear_l1",
    "1.4.2/count_pattern_group",
    "1.9.1/dict_vectorizer",
    "1.9.1/hashing_binary_l1",
};

std::string content_of(const std::string& model) {
  std::ifstream file(std::string(WHERRY_SOURCE_DIR) + "/tests/fixtures/sklearn/" + model + "/model.joblib",
                     std::ios::binary);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

void expect_complete(const base::Error& error) {
  EXPECT_FALSE(error.id.empty());
  EXPECT_FALSE(error.message.empty()) << error.id;
}

// Imports and runs; true when there was a model. Errors must be complete.
bool survives(const std::string& content) {
  pickle::Limits limits;
  limits.memory_bytes = 256 << 20;
  const auto document = pickle::read_string(content, limits);
  if (!document) {
    expect_complete(document.error());
    return false;
  }
  const sklearn::Inspection inspection = sklearn::describe(*document);
  EXPECT_LE(inspection.estimators.size(), 1'000);
  auto lowered = sklearn::lower(*document);
  if (!lowered) {
    expect_complete(lowered.error());
    EXPECT_FALSE(lowered.error().hint.empty()) << lowered.error().id;
    return false;
  }
  if (lowered->program.signature().columns.size() > 1'000) return true;
  auto plan = engine::Plan::compile(std::move(lowered->program));
  if (!plan) {
    expect_complete(plan.error());
    return false;
  }
  tensor::Table table;
  table.reset(2, plan->signature().columns.size());
  for (std::size_t i = 0; i < table.columns; ++i) table.set_number(i, static_cast<double>(i));
  engine::Workspace workspace;
  const auto status = plan->run(table, plan->all_outputs(), workspace);
  if (!status) expect_complete(status.error());
  return true;
}

class Damage : public testing::TestWithParam<const char*> {};

TEST_P(Damage, CutFilesAreRefused) {
  const std::string content = content_of(GetParam());
  ASSERT_GT(content.size(), 100);
  EXPECT_TRUE(survives(content));
  const std::size_t step = std::max<std::size_t>(1, content.size() / 400);
  for (std::size_t size = 0; size < content.size(); size += step)
    EXPECT_FALSE(survives(content.substr(0, size))) << size << " bytes";
}

TEST_P(Damage, OverwrittenBytesAreRefusedOrHarmless) {
  const std::string content = content_of(GetParam());
  std::mt19937 random(7);
  for (int round = 0; round < 1'000; ++round) {
    std::string damaged = content;
    const std::size_t count = 1 + random() % 3;
    for (std::size_t i = 0; i < count; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    survives(damaged);
  }
}

INSTANTIATE_TEST_SUITE_P(Sklearn, Damage, testing::ValuesIn(kModels),
                         [](const auto& param) { return std::to_string(param.index); });

}  // namespace
}  // namespace wherry::parity
