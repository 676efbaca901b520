// A small model on disk, for tests of this module.
#pragma once

#include "repository/test_model.h"

#include "serve/model.h"

namespace wherry::serve {

using repository::kGoodGolden;
using repository::test_program;
using repository::write_test_bundle;

// As the server loads it.
inline base::Result<std::shared_ptr<Model>> load_test_model(const std::filesystem::path& folder,
                                                            const repository::Settings& settings = {}) {
  return repository::load_model({.folder = folder, .name = {}, .settings = settings, .threads = 4},
                                base::real_files());
}

}  // namespace wherry::serve
