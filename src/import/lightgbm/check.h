// What both readers check and build alike. Private to module lightgbm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "import/lightgbm/model.h"
#include "text/json.h"

namespace wherry::lightgbm {

using base::cat;
using base::Result;
using base::Status;

std::unexpected<base::Error> bad_model(std::string_view what, std::string_view message);
std::unexpected<base::Error> inconsistent(std::string_view what, std::string_view message);

// "v3" or "v4".
Status check_version(std::string_view version, std::string_view what);

// Number of trees per iteration and of columns within their bounds.
Status check_counts(const Model& model, std::int64_t num_class, std::string_view what);

// Structure of one tree of a model with `columns` columns; `where` names the tree.
Status check_tree(const Tree& tree, std::size_t columns, std::string_view where);

// The whole model, once its trees are checked.
Status check_model(const Model& model, std::string_view what);

// pandas_categorical: null, or a list of lists of strings, numbers and booleans.
Result<std::vector<PandasColumn>> pandas_columns(const text::Json& json, std::string_view what);

}  // namespace wherry::lightgbm
