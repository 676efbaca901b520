#include "import/formats/formats.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "import/catboost/catboost.h"
#include "import/lightgbm/lower.h"
#include "import/pickle/document.h"
#include "import/sklearn/sklearn.h"
#include "import/skops/skops.h"
#include "import/xgboost/xgboost.h"

namespace wherry::formats {
namespace {

using base::cat;

bool starts_with_any(std::string_view head, std::span<const std::string_view> starts) {
  for (std::string_view start : starts)
    if (head.starts_with(start)) return true;
  return false;
}

// "cMODULE\nNAME\n", how protocols 0 and 1 begin when the model is an instance: GLOBAL, with Python's
// identifiers.
bool is_global_opcode(std::string_view head) {
  const auto is_identifier = [](char c) { return c == '_' || c == '.' || base::is_ascii_alphanumeric(c); };
  if (!head.starts_with('c')) return false;
  const std::size_t module_end = head.find('\n');
  const std::size_t name_end =
      module_end == std::string_view::npos ? module_end : head.find('\n', module_end + 1);
  return name_end != std::string_view::npos && module_end > 1 && name_end > module_end + 1 &&
         std::ranges::all_of(head.substr(1, module_end - 1), is_identifier) &&
         std::ranges::all_of(head.substr(module_end + 1, name_end - module_end - 1), is_identifier);
}

// Protocols 2 and newer begin with PROTO; 0 and 1 with an opcode that builds something; the rest are joblib's
// compressors (numpy_pickle_utils.py).
bool is_pickle(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::array kStarts{"\x78\x01"sv,
                               "\x78\x5e"sv,
                               "\x78\x9c"sv,
                               "\x78\xda"sv,
                               "\x1f\x8b"sv,
                               "BZh"sv,
                               "\xfd"
                               "7zXZ"sv,
                               "\x5d\x00\x00"sv,
                               "\x04\x22\x4d\x18"sv,
                               "ZF"sv,
                               "(i"sv,
                               "(c"sv,
                               "(dp"sv,
                               "(lp"sv,
                               "}q"sv,
                               "]q"sv};
  if (head.size() >= 2 && head[0] == '\x80' && head[1] <= 5) return true;
  return starts_with_any(head, kStarts) || is_global_opcode(head);
}

bool is_onnx(std::string_view head) {
  // ModelProto: field 1 (ir_version, varint) first, then producer or opset fields.
  return head.size() > 4 && head[0] == '\x08' && head[1] < 20 &&
         (head[2] == '\x12' || head[2] == '\x3a' || head[2] == '\x42');
}

bool is_zip(std::string_view head) {
  return head.starts_with("PK\x03\x04");
}
bool is_hdf5(std::string_view head) {
  return head.starts_with("\x89HDF\r\n\x1a\n");
}
bool is_tflite(std::string_view head) {
  return head.size() >= 8 && head.substr(4, 4) == "TFL3";
}
bool is_catboost(std::string_view head) {
  return head.starts_with("CBM1");
}
// The first key of the document: CatBoost writes them in alphabetical order.
bool is_catboost_json(std::string_view head) {
  if (!head.starts_with("{")) return false;
  const std::string_view first = base::trim(head.substr(1)).substr(0, 24);
  return first.starts_with("\"ctr_data\"") || first.starts_with("\"features_info\"");
}
bool is_lightgbm(std::string_view head) {
  return head.starts_with("tree\nversion=") || head.starts_with("tree\r\nversion=");
}
bool is_lightgbm_json(std::string_view head) {
  return head.starts_with("{") && head.find("\"num_tree_per_iteration\"") != std::string_view::npos;
}
bool is_xgboost_json(std::string_view head) {
  return head.starts_with("{") && head.find("\"learner\"") != std::string_view::npos;
}
bool is_xgboost_ubj(std::string_view head) {
  return head.starts_with("{L") && head.find("learner") != std::string_view::npos;
}

// A limit is there to stop a hostile file; the owner of a trusted one is told which to raise.
std::unexpected<base::Error> with_limit_hint(base::Error error) {
  constexpr std::string_view kPrefix = "pickle.limit_";
  if (error.id.starts_with(kPrefix))
    error.hint = cat("if you trust the file, raise the bound with --limit ",
                     std::string_view(error.id).substr(kPrefix.size()), "=NUMBER");
  return std::unexpected(std::move(error));
}

Inspection inspect(const pickle::Document& document) {
  Inspection inspection;
  if (auto lowered = sklearn::lower(document)) {
    inspection.program = std::move(lowered->program);
    inspection.provenance = std::move(lowered->provenance);
  } else {
    inspection.refusal = std::move(lowered.error());
    sklearn::Inspection known = sklearn::describe(document);
    if (!known.framework_version.empty()) inspection.provenance.framework = "scikit-learn";
    inspection.provenance.framework_version = std::move(known.framework_version);
    inspection.provenance.estimators = std::move(known.estimators);
    inspection.provenance.manifest = std::move(known.manifest);
  }
  return inspection;
}

base::Result<Inspection> read_pickle(const std::filesystem::path& path, const Limits& limits) {
  auto document = pickle::read_file(path, limits.pickle);
  if (!document) return with_limit_hint(std::move(document.error()));
  Inspection inspection = inspect(*document);
  inspection.provenance.format = document->has_joblib_arrays() ? "joblib" : "pickle";
  return inspection;
}

base::Result<Inspection> read_skops(const std::filesystem::path& path, const Limits& limits) {
  auto document = skops::read_file(path, limits.pickle);
  if (!document) return with_limit_hint(std::move(document.error()));
  Inspection inspection = inspect(*document);
  inspection.provenance.format = "skops";
  return inspection;
}

using ReadLightgbm = base::Result<lightgbm::Model> (*)(std::string_view, std::string_view,
                                                       const lightgbm::Limits&);

template <ReadLightgbm kRead>
base::Result<Inspection> read_lightgbm(const std::filesystem::path& path, const Limits& limits) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  TRY_ASSIGN(const lightgbm::Model model, kRead(base::as_text(file.bytes()), "the model", limits.lightgbm));
  Inspection inspection;
  inspection.provenance = lightgbm::describe(model);
  if (auto lowered = lightgbm::lower(model, "the model"))
    inspection.program = std::move(lowered->program);
  else
    inspection.refusal = std::move(lowered.error());
  inspection.provenance.format = "lightgbm";
  return inspection;
}

base::Result<Inspection> read_catboost(const std::filesystem::path& path, const Limits&) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  Inspection inspection;
  auto booster = catboost::Booster::read(file.bytes());
  if (!booster && booster.error().code != base::Code::kUnsupported)
    return std::unexpected(std::move(booster.error()));
  if (booster) {
    TRY_ASSIGN(catboost::Lowered lowered, catboost::lower(*booster));
    inspection.program = std::move(lowered.program);
    inspection.provenance = std::move(lowered.provenance);
  } else {
    inspection.refusal = std::move(booster.error());
    inspection.provenance.framework = "CatBoost";
  }
  inspection.provenance.format = base::as_text(file.bytes()).starts_with('{') ? "catboost-json" : "catboost";
  return inspection;
}

// What was read is a refusal where it is understood but not served, and an error where it makes no sense.
base::Result<Inspection> lower_xgboost(base::Result<xgboost::Value> document, std::string_view format) {
  if (!document) return std::unexpected(std::move(document.error()));
  Inspection inspection;
  const auto refuse = [&](base::Error error) -> base::Result<Inspection> {
    if (error.code != base::Code::kUnsupported) return std::unexpected(std::move(error));
    inspection.refusal = std::move(error);
    return std::move(inspection);
  };
  inspection.provenance.framework = "XGBoost";
  inspection.provenance.format = format;
  auto model = xgboost::read_model(*document);
  if (!model) return refuse(std::move(model.error()));
  inspection.provenance = xgboost::provenance_of(*model);
  inspection.provenance.format = format;
  auto program = xgboost::lower_file(*model);
  if (!program) return refuse(std::move(program.error()));
  inspection.program = *std::move(program);
  return inspection;
}

base::Result<Inspection> read_xgboost_json(const std::filesystem::path& path, const Limits&) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  return lower_xgboost(xgboost::read_json(base::as_text(file.bytes())), "xgboost-json");
}

base::Result<Inspection> read_xgboost_ubj(const std::filesystem::path& path, const Limits&) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  return lower_xgboost(xgboost::read_ubj(file.bytes()), "xgboost-ubj");
}

constexpr std::string_view kTabular =
    "this version serves scikit-learn pickles and joblib files; save the model inside one of these";
constexpr std::string_view kDeep =
    "this version serves scikit-learn, XGBoost, LightGBM and CatBoost models, no neural networks";

constexpr std::array<Format, 12> kFormats{{
    {"pickle", "Python pickle or joblib file", is_pickle, read_pickle, ""},
    {"onnx", "ONNX model", is_onnx, nullptr, kDeep},
    {"xgboost-json", "XGBoost JSON model", is_xgboost_json, read_xgboost_json, ""},
    {"xgboost-ubj", "XGBoost UBJSON model", is_xgboost_ubj, read_xgboost_ubj, ""},
    {"lightgbm", "LightGBM text model", is_lightgbm, read_lightgbm<lightgbm::read_text>, ""},
    {"lightgbm-json", "LightGBM JSON dump", is_lightgbm_json, read_lightgbm<lightgbm::read_json>, ""},
    {"catboost", "CatBoost model", is_catboost, read_catboost, ""},
    {"catboost-json", "CatBoost JSON model", is_catboost_json, read_catboost, ""},
    {"tflite", "TensorFlow Lite model", is_tflite, nullptr, kDeep},
    {"hdf5", "Keras HDF5 model", is_hdf5, nullptr, kDeep},
    {"skops", "skops file", skops::recognise, read_skops, "", true},
    {"zip", "zip archive (PyTorch or Keras)", is_zip, nullptr, kDeep},
}};

std::unexpected<base::Error> name_file(base::Error error, const std::filesystem::path& path) {
  if (error.message.find(path.string()) == std::string::npos)
    error.message = cat(path.string(), ": ", error.message);
  return std::unexpected(std::move(error));
}

base::Result<const Format*> recognise(std::string_view content, const std::filesystem::path& path) {
  for (const Format& format : kFormats) {
    if (!format.recognise(format.whole ? content : content.substr(0, kHeadSize))) continue;
    if (format.read != nullptr) return &format;
    return base::fail(base::Code::kUnsupported, "formats.not_served",
                      cat(path.string(), ": ", format.description, ": not served yet"),
                      std::string(format.advice));
  }
  const bool empty = content.empty();
  return base::fail(base::Code::kInvalidInput, "formats.unknown",
                    cat(path.string(), empty ? ": the file is empty" : ": no known model format"),
                    "give the file as the framework wrote it, e.g. by joblib.dump(model, 'model.joblib')");
}

}  // namespace

std::span<const Format> formats() {
  return kFormats;
}

base::Result<Inspection> inspect_file(const std::filesystem::path& path, const Limits& limits) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  const std::string_view content = base::as_text(file.bytes());
  TRY_ASSIGN(const Format* format, recognise(content, path));
  auto inspection = format->read(path, limits);
  if (!inspection) return name_file(std::move(inspection.error()), path);
  if (inspection->refusal) inspection->refusal = name_file(std::move(*inspection->refusal), path).error();
  inspection->provenance.source_name = path.filename().string();
  inspection->provenance.source_size = static_cast<std::int64_t>(content.size());
  inspection->provenance.source_digest = base::sha256_digest(content);
  return inspection;
}

}  // namespace wherry::formats
