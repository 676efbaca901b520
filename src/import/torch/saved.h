// Files of torch.save: the pickle as inert records, and the storages which it names by persistent ids. Both
// forms, the zip archive (PyTorch 1.6 and newer: data.pkl beside data/N) and the stream of five pickles
// before (torch/serialization.py, _legacy_save); also the data.pkl and constants.pkl of TorchScript.
//
// Errors: "zip.*", "pickle.*", "torch.bad_file", "torch.bad_storage", "torch.unsupported_dtype".
// Thread-safety: reading is safe from any number of threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/pickle/document.h"
#include "import/torch/storage.h"
#include "import/zip/archive.h"
#include "tensor/tensor.h"

namespace wherry::torch {

// A pickle and its storages. Move-only.
struct Saved {
  pickle::Document document;
  std::map<std::string, Storage, std::less<>> storages;  // by key ("0")

  pickle::View view() const { return document.view(); }
  // Whether the object is a tensor or parameter (the call of _rebuild_tensor_v2 and its relatives).
  static bool is_tensor(const pickle::View& view);
  base::Result<tensor::Tensor> tensor(const pickle::View& view) const;
};

// `owner` keeps `bytes` alive; tensors borrow from them and hold it.
base::Result<Saved> read_saved(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                               const pickle::Limits& limits = {});

// The pickle "PREFIX/NAME.pkl" of an archive with its storages "PREFIX/FOLDER/KEY"; TorchScript keeps two
// ("data", "data") and ("constants", "constants").
base::Result<Saved> read_record(zip::Archive& archive, std::string_view prefix, std::string_view name,
                                std::string_view folder, const std::shared_ptr<const void>& owner,
                                const pickle::Limits& limits = {});

// The folder in which an archive's "data.pkl" lies, with its '/'; nullopt without one.
std::optional<std::string> find_prefix(const zip::Archive& archive, std::string_view file);

bool is_legacy_stream(std::string_view content);

// An entry of an archive: borrowed when stored, else decompressed.
base::Result<Storage> read_entry(zip::Archive& archive, std::string_view name,
                                 const std::shared_ptr<const void>& owner);

}  // namespace wherry::torch
