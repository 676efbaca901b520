#include "program/bundle.h"

#include <memory>

#include "base/digest.h"
#include "base/text.h"
#include "program/fields.h"
#include "program/safetensors.h"
#include "program/serialize.h"

namespace wherry::program {
namespace {

using base::cat;
using text::Json;

constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kMostDocument = 256u << 20;  // program.json holds categories and labels
constexpr std::uint64_t kMostWeights = std::uint64_t{64} << 30;
constexpr std::size_t kMostName = 63;  // a DNS label, as Kubernetes names are

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "program.bad_bundle", std::move(message),
                    "make the bundle again: wherry convert MODEL -o FOLDER");
}

base::Status check_digest(const Json& head, std::string_view name, std::string_view content) {
  const Json* digests = text::find_object(head, "files");
  const std::string* expected = digests == nullptr ? nullptr : text::find_string(*digests, name);
  if (expected == nullptr) return bad(cat("bundle.json does not list ", name));
  if (*expected != base::sha256_digest(content))
    return bad(cat(name, " is not the file bundle.json was written for"));
  return {};
}

base::Result<std::vector<Weight>> read_weights(const std::filesystem::path& path, const Json& head,
                                               base::FileSystem& files, CheckWeights check) {
  if (check == CheckWeights::kNo) {
    TRY_ASSIGN(base::MappedFile mapped, base::MappedFile::open(path));
    const auto owner = std::make_shared<const base::MappedFile>(std::move(mapped));
    return read_safetensors(owner->bytes(), owner);
  }
  TRY_ASSIGN(std::string content, files.read(path, kMostWeights));
  TRY(check_digest(head, "weights.safetensors", content));
  const auto owner = std::make_shared<const std::string>(std::move(content));
  return read_safetensors(base::as_bytes(*owner), owner);
}

}  // namespace

std::string service_name(std::string_view text) {
  std::string name;
  for (char c : base::to_lower(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
    if (name.size() == kMostName) break;
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "model" : name;
}

std::vector<BundleFile> bundle_files(const Bundle& bundle) {
  std::vector<BundleFile> files;
  if (!bundle.golden.empty()) files.push_back({"golden.jsonl", bundle.golden});
  if (!bundle.profile.empty()) files.push_back({"profile.json", bundle.profile});
  files.push_back({"program.json", text::write_json(program_to_json(bundle.program), 1) + "\n"});
  files.push_back({"weights.safetensors", write_safetensors(bundle.program.weights())});
  Json digests = Json::object();
  for (const BundleFile& file : files) digests[file.name] = base::sha256_digest(file.content);
  const Json head = {
      {"format", "wherry-bundle"},
      {"version", kVersion},
      {"name", bundle.name},
      {"golden", bundle.golden.empty() ? Json(nullptr) : Json{{"source", bundle.golden_source}}},
      {"provenance", to_json(bundle.provenance)},
      {"files", digests}};
  files.insert(files.begin(), {"bundle.json", text::write_json(head, 1) + "\n"});
  return files;
}

std::string bundle_digest(const std::vector<BundleFile>& files) {
  for (const BundleFile& file : files)
    if (file.name == "bundle.json") return base::sha256_digest(file.content);
  return {};
}

base::Status write_bundle(const Bundle& bundle, const std::filesystem::path& folder,
                          base::FileSystem& files) {
  const std::vector<BundleFile> contents = bundle_files(bundle);
  TRY(files.remove_all(folder / "bundle.json"));
  if (bundle.golden.empty()) TRY(files.remove_all(folder / "golden.jsonl"));
  if (bundle.profile.empty()) TRY(files.remove_all(folder / "profile.json"));
  for (std::size_t i = contents.size(); i-- > 0;)
    TRY(files.write(folder / contents[i].name, contents[i].content));
  return {};
}

base::Result<Bundle> read_bundle(const std::filesystem::path& folder, base::FileSystem& files,
                                 CheckWeights check) {
  TRY_ASSIGN(const std::string head_text, files.read(folder / "bundle.json", kMostDocument));
  TRY_ASSIGN(const Json head, text::parse_json(head_text, "bundle.json", {.bytes = kMostDocument}));
  const std::string* format = text::find_string(head, "format");
  if (format == nullptr || *format != "wherry-bundle") return bad("bundle.json is not of a wherry bundle");
  TRY_ASSIGN(const std::int64_t version, text::require_integer(head, "version", "bundle.json"));
  if (version != kVersion)
    return bad(cat("bundle version ", version, "; this wherry reads version ", kVersion));

  Bundle bundle;
  TRY_ASSIGN(bundle.name, text::require_string(head, "name", "bundle.json"));
  if (service_name(bundle.name) != bundle.name) return bad("bundle.json: name is not a service name");
  const Json* provenance = text::find_object(head, "provenance");
  if (provenance == nullptr || !from_json(*provenance, bundle.provenance))
    return bad("bundle.json: provenance");

  TRY_ASSIGN(const std::string program_text, files.read(folder / "program.json", kMostDocument));
  TRY(check_digest(head, "program.json", program_text));
  TRY_ASSIGN(const Json document, text::parse_json(program_text, "program.json", {.bytes = kMostDocument}));

  TRY_ASSIGN(std::vector<Weight> weights, read_weights(folder / "weights.safetensors", head, files, check));
  TRY_ASSIGN(bundle.program, program_from_json(document, std::move(weights)));

  if (const Json* golden = text::find_object(head, "golden")) {
    TRY_ASSIGN(bundle.golden_source, text::require_string(*golden, "source", "bundle.json: golden"));
    TRY_ASSIGN(bundle.golden, files.read(folder / "golden.jsonl", kMostDocument));
    TRY(check_digest(head, "golden.jsonl", bundle.golden));
  }
  const Json* listed = text::find_object(head, "files");
  if (listed != nullptr && text::find_string(*listed, "profile.json") != nullptr) {
    TRY_ASSIGN(bundle.profile, files.read(folder / "profile.json", kMostDocument));
    TRY(check_digest(head, "profile.json", bundle.profile));
  }
  return bundle;
}

}  // namespace wherry::program
