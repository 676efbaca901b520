// Reads CatBoost's two own formats. Private to module catboost.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/catboost/model.h"

namespace wherry::catboost {

std::unexpected<base::Error> inconsistent(std::string_view what);

base::Result<Model> read_cbm(base::Bytes content);         // save_model(format="cbm")
base::Result<Model> read_json(std::string_view document);  // save_model(format="json")

// Room for `count` entries as CatBoost lays its tables out: a power of two, at least twice as many.
void make_buckets(CtrTable& table, std::size_t count);
// Gives `hash` the next entry; the same one again if it is known.
std::int32_t add_bucket(CtrTable& table, std::uint64_t hash, std::int32_t next);

}  // namespace wherry::catboost
