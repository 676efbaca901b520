// A bundle: a folder with everything the server needs to answer for one model (docs/formats/bundle.md).
//   bundle.json          what it is: name, provenance, digests of the other files
//   program.json         operations, signature, outputs
//   weights.safetensors  the numbers, mapped at load
//   golden.jsonl         golden examples, if any (protocol/golden.h)
//   profile.json         statistics of the training data, if any (telemetry/profile.h)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "program/program.h"
#include "program/provenance.h"

namespace wherry::program {

struct Bundle {
  std::string name;  // the service's name: lower-case letters, digits, '-'
  Program program;
  Provenance provenance;
  std::string golden;         // golden.jsonl as it is, or empty
  std::string golden_source;  // "framework", "wherry", or empty without golden examples
  std::string profile;        // profile.json as it is, or empty
};

struct BundleFile {
  std::string name;  // relative path
  std::string content;
};

// The files of a bundle, sorted by name. Pure: equal bundles give equal bytes.
std::vector<BundleFile> bundle_files(const Bundle& bundle);

// Writes them to `folder`, bundle.json last, so that a folder with a bundle.json is complete.
base::Status write_bundle(const Bundle& bundle, const std::filesystem::path& folder, base::FileSystem& files);

// Reads and checks a bundle. Digests of program.json, golden.jsonl and profile.json are verified always, that
// of the weights only with kYes, since it touches every page. With kNo the weights stay mapped from disk: a
// file which is cut later ends the process (SIGBUS); with kYes they are read into memory, and the disk does
// not matter any more. Errors: "program.bad_bundle" and those of the parts.
enum class CheckWeights { kNo, kYes };
base::Result<Bundle> read_bundle(const std::filesystem::path& folder, base::FileSystem& files,
                                 CheckWeights check = CheckWeights::kNo);

// "sha256:…" over the bundle's files: names the model itself, whatever runs it.
std::string bundle_digest(const std::vector<BundleFile>& files);

// `text` as a service name: lower case, other characters become '-', at most 63; "model" when nothing is
// left.
std::string service_name(std::string_view text);

}  // namespace wherry::program
