#include "cli/error_table.h"

#include <algorithm>
#include <span>

#include "auth/error_ids.h"
#include "graph/error_ids.h"
#include "http_client/error_ids.h"
#include "onnx/error_ids.h"
#include "protobuf/error_ids.h"
#include "pytext/error_ids.h"
#include "repository/error_ids.h"
#include "runtime/error_ids.h"
#include "schedule/error_ids.h"
#include "telemetry/error_ids.h"
#include "tftext/error_ids.h"

#include "app/error_ids.h"
#include "base/error_ids.h"
#include "cli/error_ids.h"
#include "engine/error_ids.h"
#include "http/error_ids.h"
#include "import/catboost/error_ids.h"
#include "import/deep/error_ids.h"
#include "import/formats/error_ids.h"
#include "import/hdf5/error_ids.h"
#include "import/keras/error_ids.h"
#include "import/lightgbm/error_ids.h"
#include "import/pickle/error_ids.h"
#include "import/python/error_ids.h"
#include "import/sklearn/error_ids.h"
#include "import/skops/error_ids.h"
#include "import/tensorflow/error_ids.h"
#include "import/torch/error_ids.h"
#include "import/xgboost/error_ids.h"
#include "import/zip/error_ids.h"
#include "kube/error_ids.h"
#include "oci/error_ids.h"
#include "pipeline/error_ids.h"
#include "program/error_ids.h"
#include "protocol/error_ids.h"
#include "serve/error_ids.h"
#include "tensor/error_ids.h"
#include "text/error_ids.h"
#include "verify/error_ids.h"

namespace wherry::cli {

std::vector<base::ErrorId> all_error_ids() {
  std::vector<base::ErrorId> rows;
  for (const std::span<const base::ErrorId> table : {std::span<const base::ErrorId>(app::kErrorIds),
                                                     std::span<const base::ErrorId>(auth::kErrorIds),
                                                     std::span<const base::ErrorId>(base::kErrorIds),
                                                     std::span<const base::ErrorId>(catboost::kErrorIds),
                                                     std::span<const base::ErrorId>(deep::kErrorIds),
                                                     std::span<const base::ErrorId>(engine::kErrorIds),
                                                     std::span<const base::ErrorId>(formats::kErrorIds),
                                                     std::span<const base::ErrorId>(graph::kErrorIds),
                                                     std::span<const base::ErrorId>(http::kErrorIds),
                                                     std::span<const base::ErrorId>(http_client::kErrorIds),
                                                     std::span<const base::ErrorId>(kErrorIds),
                                                     std::span<const base::ErrorId>(kube::kErrorIds),
                                                     std::span<const base::ErrorId>(hdf5::kErrorIds),
                                                     std::span<const base::ErrorId>(keras::kErrorIds),
                                                     std::span<const base::ErrorId>(lightgbm::kErrorIds),
                                                     std::span<const base::ErrorId>(oci::kErrorIds),
                                                     std::span<const base::ErrorId>(onnx::kErrorIds),
                                                     std::span<const base::ErrorId>(pickle::kErrorIds),
                                                     std::span<const base::ErrorId>(pipeline::kErrorIds),
                                                     std::span<const base::ErrorId>(program::kErrorIds),
                                                     std::span<const base::ErrorId>(protobuf::kErrorIds),
                                                     std::span<const base::ErrorId>(protocol::kErrorIds),
                                                     std::span<const base::ErrorId>(python::kErrorIds),
                                                     std::span<const base::ErrorId>(pytext::kErrorIds),
                                                     std::span<const base::ErrorId>(repository::kErrorIds),
                                                     std::span<const base::ErrorId>(runtime::kErrorIds),
                                                     std::span<const base::ErrorId>(schedule::kErrorIds),
                                                     std::span<const base::ErrorId>(sklearn::kErrorIds),
                                                     std::span<const base::ErrorId>(serve::kErrorIds),
                                                     std::span<const base::ErrorId>(skops::kErrorIds),
                                                     std::span<const base::ErrorId>(telemetry::kErrorIds),
                                                     std::span<const base::ErrorId>(tensor::kErrorIds),
                                                     std::span<const base::ErrorId>(tensorflow::kErrorIds),
                                                     std::span<const base::ErrorId>(torch::kErrorIds),
                                                     std::span<const base::ErrorId>(text::kErrorIds),
                                                     std::span<const base::ErrorId>(tftext::kErrorIds),
                                                     std::span<const base::ErrorId>(verify::kErrorIds),
                                                     std::span<const base::ErrorId>(xgboost::kErrorIds),
                                                     std::span<const base::ErrorId>(zip::kErrorIds)})
    rows.insert(rows.end(), table.begin(), table.end());
  std::ranges::sort(rows, {}, &base::ErrorId::id);
  return rows;
}

}  // namespace wherry::cli
