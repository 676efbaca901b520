#include "import/formats/formats.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "import/catboost/catboost.h"
#include "import/formats/readers.h"
#include "import/lightgbm/lower.h"
#include "import/pickle/document.h"
#include "import/sklearn/sklearn.h"
#include "import/skops/skops.h"
#include "import/xgboost/xgboost.h"
#include "import/zip/archive.h"

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

base::Result<Inspection> read_pickle(const std::filesystem::path& path, const Options& options) {
  auto document = pickle::read_file(path, options.limits.pickle);
  if (!document) return with_limit_hint(std::move(document.error()));
  Inspection inspection = inspect(*document);
  inspection.provenance.format = document->has_joblib_arrays() ? "joblib" : "pickle";
  return inspection;
}

base::Result<Inspection> read_skops(const std::filesystem::path& path, const Options& options) {
  auto document = skops::read_file(path, options.limits.pickle);
  if (!document) return with_limit_hint(std::move(document.error()));
  Inspection inspection = inspect(*document);
  inspection.provenance.format = "skops";
  return inspection;
}

using ReadLightgbm = base::Result<lightgbm::Model> (*)(std::string_view, std::string_view,
                                                       const lightgbm::Limits&);

template <ReadLightgbm kRead>
base::Result<Inspection> read_lightgbm(const std::filesystem::path& path, const Options& options) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  TRY_ASSIGN(const lightgbm::Model model,
             kRead(base::as_text(file.bytes()), "the model", options.limits.lightgbm));
  Inspection inspection;
  inspection.provenance = lightgbm::describe(model);
  if (auto lowered = lightgbm::lower(model, "the model"))
    inspection.program = std::move(lowered->program);
  else
    inspection.refusal = std::move(lowered.error());
  inspection.provenance.format = "lightgbm";
  return inspection;
}

base::Result<Inspection> read_catboost(const std::filesystem::path& path, const Options&) {
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

base::Result<Inspection> read_xgboost_json(const std::filesystem::path& path, const Options&) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  return lower_xgboost(xgboost::read_json(base::as_text(file.bytes())), "xgboost-json");
}

base::Result<Inspection> read_xgboost_ubj(const std::filesystem::path& path, const Options&) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  return lower_xgboost(xgboost::read_ubj(file.bytes()), "xgboost-ubj");
}

constexpr std::string_view kTabular =
    "this version serves scikit-learn pickles and joblib files; save the model inside one of these";
constexpr std::string_view kDeep = "export the model to ONNX, which this version serves";

bool is_saved_model(const Subject& subject) {
  return subject.is_folder && subject.has("saved_model.pb");
}
// Rows which look at a file's first bytes only.
template <bool (*kIs)(std::string_view head)>
bool by_head(const Subject& subject) {
  return !subject.is_folder && kIs(subject.head);
}
bool is_skops(const Subject& subject) {
  return !subject.is_folder && is_zip(subject.head) && subject.has("schema.json");
}
bool is_keras(const Subject& subject) {
  if (subject.is_folder) return false;
  return is_hdf5(subject.head) ||
         (is_zip(subject.head) && subject.has("config.json") && subject.has("model.weights.h5"));
}
bool is_any_zip(const Subject& subject) {
  return !subject.is_folder && is_zip(subject.head);
}

// The first row that recognises a subject reads it.
constexpr std::array kFormats{
    Format{"torch", "PyTorch program, TorchScript, module or weights", is_torch, read_torch, ""},
    Format{"pickle", "Python pickle or joblib file", by_head<is_pickle>, read_pickle, ""},
    Format{"onnx", "ONNX model", by_head<is_onnx>, read_onnx, ""},
    Format{"xgboost-json", "XGBoost JSON model", by_head<is_xgboost_json>, read_xgboost_json, ""},
    Format{"xgboost-ubj", "XGBoost UBJSON model", by_head<is_xgboost_ubj>, read_xgboost_ubj, ""},
    Format{"lightgbm", "LightGBM text model", by_head<is_lightgbm>, read_lightgbm<lightgbm::read_text>, ""},
    Format{"lightgbm-json", "LightGBM JSON dump", by_head<is_lightgbm_json>,
           read_lightgbm<lightgbm::read_json>, ""},
    Format{"catboost", "CatBoost model", by_head<is_catboost>, read_catboost, ""},
    Format{"catboost-json", "CatBoost JSON model", by_head<is_catboost_json>, read_catboost, ""},
    Format{"tflite", "TensorFlow Lite model", by_head<is_tflite>, nullptr, kDeep},
    Format{"keras", "Keras model", is_keras, read_keras, ""},
    Format{"savedmodel", "TensorFlow SavedModel", is_saved_model, read_saved_model, ""},
    Format{"skops", "skops file", is_skops, read_skops, ""},
    Format{"zip", "zip archive", is_any_zip, nullptr, kDeep},
};

// Regular files only; what lies deeper or beyond kMostFiles is not looked at.
base::Result<std::vector<std::string>> files_of(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  constexpr std::size_t kMostFiles = 10'000;
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && at != fs::recursive_directory_iterator() && names.size() < kMostFiles;
       at.increment(failed)) {
    if (at.depth() >= kMostFolders) at.disable_recursion_pending();
    std::error_code ignored;
    if (at->is_regular_file(ignored))
      names.push_back(fs::relative(at->path(), folder, ignored).generic_string());
  }
  if (failed)
    return base::fail(base::Code::kInvalidInput, "formats.folder",
                      cat(folder.string(), ": ", failed.message()), "give a folder which can be read");
  std::ranges::sort(names);
  return names;
}

std::unexpected<base::Error> name_file(base::Error error, const std::filesystem::path& path) {
  if (error.message.find(path.string()) == std::string::npos)
    error.message = cat(path.string(), ": ", error.message);
  return std::unexpected(std::move(error));
}

base::Result<const Format*> recognise(const Subject& subject) {
  for (const Format& format : kFormats) {
    if (!format.recognise(subject)) continue;
    if (format.read != nullptr) return &format;
    return base::fail(base::Code::kUnsupported, "formats.not_served",
                      cat(subject.path.string(), ": ", format.description, ": not served yet"),
                      std::string(format.advice));
  }
  const char* what = subject.is_folder         ? ": the folder holds no model of a known format"
                     : subject.content.empty() ? ": the file is empty"
                                               : ": no known model format";
  return base::fail(
      base::Code::kInvalidInput, "formats.unknown", cat(subject.path.string(), what),
      subject.is_folder
          ? "name the folder which the framework wrote, or a file in it"
          : "give the file as the framework wrote it, e.g. by joblib.dump(model, 'model.joblib')");
}

base::Result<Inspection> inspect_subject(const Subject& subject, const Options& options) {
  TRY_ASSIGN(const Format* format, recognise(subject));
  auto inspection = format->read(subject.path, options);
  if (!inspection) return name_file(std::move(inspection.error()), subject.path);
  if (inspection->refusal)
    inspection->refusal = name_file(std::move(*inspection->refusal), subject.path).error();
  const std::filesystem::path named =
      subject.path.filename().empty() ? subject.path.parent_path() : subject.path;
  inspection->provenance.source_name = named.filename().string();
  return inspection;
}

// A folder's digest is that of a list of its files, which names each with its own.
base::Result<Inspection> inspect_folder(const Subject& subject, const Options& options) {
  TRY_ASSIGN(Inspection inspection, inspect_subject(subject, options));
  std::string list;
  for (const std::string& entry : subject.entries) {
    TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(subject.path / entry));
    list += cat(base::sha256_digest(base::as_text(file.bytes())), "  ", entry, "\n");
    inspection.provenance.source_size += static_cast<std::int64_t>(file.bytes().size());
  }
  inspection.provenance.source_digest = base::sha256_digest(list);
  return inspection;
}

}  // namespace

std::span<const Format> formats() {
  return kFormats;
}

bool Subject::has(std::string_view entry) const {
  return std::ranges::binary_search(entries, entry);
}

bool Subject::has_ending(std::string_view ending) const {
  return std::ranges::any_of(entries, [&](const std::string& entry) { return entry.ends_with(ending); });
}

base::Result<Inspection> inspect_file(const std::filesystem::path& path, const Options& options) {
  std::error_code failed;
  Subject subject{.path = path, .is_folder = std::filesystem::is_directory(path, failed)};
  if (subject.is_folder) {
    TRY_ASSIGN(subject.entries, files_of(path));
    return inspect_folder(subject, options);
  }
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  subject.content = base::as_text(file.bytes());
  subject.head = subject.content.substr(0, kHeadSize);
  if (is_zip(subject.head))
    if (const auto archive = zip::Archive::open(file.bytes()))
      for (const std::string_view name : archive->names()) subject.entries.emplace_back(name);
  TRY_ASSIGN(Inspection inspection, inspect_subject(subject, options));
  inspection.provenance.source_size = static_cast<std::int64_t>(subject.content.size());
  inspection.provenance.source_digest = base::sha256_digest(subject.content);
  return inspection;
}

}  // namespace wherry::formats
