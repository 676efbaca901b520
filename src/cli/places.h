// Where things are on this machine.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"

namespace wherry::cli {

// $WHERRY_CACHE, $XDG_CACHE_HOME/wherry or ~/.cache/wherry; below the temporary folder when there is no home.
std::filesystem::path cache_folder();

// wherry-server beside this program ("cli.server_missing").
base::Result<std::filesystem::path> server_binary();

// SOURCE_DATE_EPOCH, or 0: images carry no time unless asked to.
std::int64_t source_date_epoch();

}  // namespace wherry::cli
