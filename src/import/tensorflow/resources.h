// What variables and lookup tables hold: which variable of the checkpoint a handle stands for, and with which
// keys and values a table is initialised.
//
// Thread-safety: as the CallTree's. Errors: "tensorflow.bad_model", "tensorflow.missing_variable",
// "tensorflow.unsupported_use".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "import/tensorflow/calls.h"
#include "import/tensorflow/model.h"
#include "tensor/tensor.h"

namespace wherry::tensorflow {

using NodePlace = std::pair<std::uint32_t, std::uint32_t>;  // frame and node

// A string, int32 or int64 per key: LookupTableImportV2 and InitializeTableV2, or the lines of an asset.
struct Table {
  tensor::Tensor keys, values;
};

class Resources {
 public:
  // `tree` is of the main graph.
  Resources(Model& model, CallTree& tree) : model_(model), tree_(tree) {}

  // The value which a variable's handle (VarHandleOp, VariableV2 …) has after loading.
  base::Result<tensor::Tensor> variable(NodePlace handle);
  // Its name in the checkpoint.
  base::Result<std::string> variable_key(NodePlace handle);
  base::Result<const Table*> table(NodePlace handle);

 private:
  base::Status find_variables();
  base::Status find_tables();
  base::Status scan_restore(std::uint32_t frame);
  base::Status scan_tables(std::uint32_t frame, const NodeDef& node);
  base::Result<tensor::Tensor> constant(std::uint32_t frame, std::string_view input);
  base::Result<Table> from_file(std::uint32_t frame, const NodeDef& node);

  Model& model_;
  CallTree& tree_;
  bool variables_found_ = false, tables_found_ = false;
  std::map<NodePlace, std::string> keys_;                   // handle → key
  std::map<std::string, std::string, std::less<>> shared_;  // shared_name → key
  std::map<NodePlace, tensor::Tensor> restored_names_;      // of each RestoreV2
  std::map<NodePlace, Table> tables_;
  std::map<std::string, NodePlace, std::less<>> shared_tables_;
};

}  // namespace wherry::tensorflow
