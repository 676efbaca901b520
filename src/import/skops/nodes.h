// The nodes of a schema.json as a pickle. Private to module skops.
#pragma once

#include <string>

#include "base/error.h"
#include "import/zip/archive.h"
#include "text/json.h"

namespace wherry::skops {

// The pickle of the object that `schema` describes, with the files of `archive` in it.
base::Result<std::string> to_pickle(const text::Json& schema, zip::Archive& archive,
                                    const zip::Limits& limits);

}  // namespace wherry::skops
