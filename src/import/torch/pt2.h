// Reads exported programs (torch.export.save, .pt2): the three generations of the container (torch 2.1 … 2.7:
// a zip of serialized_exported_program.json and pickled weights; 2.8: a PT2 archive with pickled weights; 2.9
// and newer: one with raw weights), schema versions 1 to 8 (torch/_export/serde/schema.py), both spellings of
// the operators (training IR and core ATen).
//
// Inputs have the names of forward's arguments, outputs the keys of the dict or dataclass that forward
// returns
// ("output" for one tensor, "output_0" … for several; "logits_0" inside of a dict). Dimensions which were
// dynamic at export stay so.
//
// Errors: "zip.*", "text.json_*", "torch.*", "graph.*". Nothing in the file is executed.
// Thread-safety: pure functions.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/torch/model.h"

namespace wherry::torch {

// Weights borrow from `bytes`; the model keeps `owner`.
base::Result<Model> read_exported_program(base::Bytes bytes, const std::shared_ptr<const void>& owner);

// The program alone, without weights: for programs that have none, and for fuzzing.
base::Result<Model> read_program_json(std::string_view json);

}  // namespace wherry::torch
