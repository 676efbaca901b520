// Whether every row of the tables is asked about by one of the fixtures which tests/fixtures/keras/layers.py
// makes; tests/networks.py compares their answers with Keras' own.
#include <filesystem>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/keras/layer.h"
#include "import/keras/operations.h"
#include "import/zip/archive.h"

namespace wherry::keras {
namespace {

struct Reason {
  std::string_view row, why;
};
constexpr std::string_view kOldName =
    "another name of a row which has one: files have it, and this Keras does not write it";
constexpr Reason kWithoutFixture[] = {
    {"BatchNormalizationV1", kOldName},
    {"BatchNormalizationV2", kOldName},
    {"Convolution1D", kOldName},
    {"Convolution2D", kOldName},
    {"Convolution3D", kOldName},
    {"SeparableConvolution1D", kOldName},
    {"SeparableConvolution2D", kOldName},
    {"MaxPool1D", kOldName},
    {"MaxPool2D", kOldName},
    {"MaxPool3D", kOldName},
    {"AvgPool1D", kOldName},
    {"AvgPool2D", kOldName},
    {"AvgPool3D", kOldName},
    {"GroupedQueryAttention", kOldName},
    {"tf.sub", kOldName},
    {"tf.mul", kOldName},
    {"tf.divide", kOldName},
    {"tf.floordiv", kOldName},
    {"tf.mod", kOldName},
    {"tf.where_v2", kOldName},
    {"tf.swish", kOldName},
    {"tf.softmax_v2", kOldName},
    {"keras.ops Abs", "keras.ops.abs makes Absolute"},
    {"SyncBatchNormalization", "an alias: Keras 2.15 saves BatchNormalization"},
    {"LayerScale", "a class of keras.applications; parity's ConvNeXtTiny has it"},
    {"StochasticDepth", "a class of keras.applications; parity's ConvNeXtTiny has it"},
    {"tf.eq", "Keras 2 saves == of two tensors without the second one"},
    {"tf.ne", "Keras 2 saves != of two tensors without the second one"},
    {"tf.einsum", "Keras 2 saves it without its operands"},
};

void collect(const Layer& layer, std::set<std::string, std::less<>>& used) {
  const bool function = layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda";
  std::string name = kind_of(layer);
  if (function)
    for (const std::string_view prefix : {"compat.v1.", "math.", "linalg.", "nn.", "__operators__."})
      if (name.substr(3).starts_with(prefix)) name = base::cat("tf.", name.substr(3 + prefix.size()));
  used.insert(std::move(name));
  for (const Layer& part : layer.parts) collect(part, used);
}

std::set<std::string, std::less<>> used_in_fixtures() {
  std::set<std::string, std::less<>> used;
  const std::string folder = base::cat(WHERRY_SOURCE_DIR, "/tests/fixtures/keras/");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("layers-") || !name.ends_with(".keras")) continue;
    const std::string content = base::real_files().read(entry.path().string(), 1 << 20).value_or("");
    auto archive = zip::Archive::open(base::as_bytes(content));
    const auto config = archive ? archive->read("config.json").value_or("") : std::string();
    const auto json = text::parse_json(config, name);
    EXPECT_TRUE(json) << name;
    if (!json) continue;
    const auto model = parse_layers(*json, {});
    EXPECT_TRUE(model) << name;
    if (model) collect(*model, used);
  }
  return used;
}

TEST(Coverage, EveryRowHasAFixtureOrAReason) {
  auto used = used_in_fixtures();
  for (const Reason& reason : kWithoutFixture) {
    EXPECT_FALSE(used.contains(reason.row)) << reason.row << " has a fixture, though " << reason.why;
    used.emplace(reason.row);
  }
  for (const auto table : layer_tables())
    for (const LayerRow& row : table) EXPECT_TRUE(used.contains(row.class_name)) << row.class_name;
  const auto expect = [&](std::string_view framework, std::string_view name) {
    EXPECT_TRUE(name.empty() || used.contains(base::cat(framework, name))) << framework << name;
  };
  for (const auto table : operation_tables())
    for (const OperationRow& row : table) {
      expect("keras.ops ", row.keras);
      expect("tf.", row.tensorflow);
    }
}

}  // namespace
}  // namespace wherry::keras
