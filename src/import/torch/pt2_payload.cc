#include "import/torch/pt2_payload.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/torch/saved.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;
using Tensors = std::map<std::string, tensor::Tensor, std::less<>>;

constexpr text::JsonLimits kJson{.bytes = std::size_t{1} << 30, .depth = 200};

std::unexpected<base::Error> bad_file(std::string what) {
  return base::fail(base::Code::kInvalidInput, "torch.bad_file", std::move(what),
                    "the file is damaged; save the program again with torch.export.save");
}

// Python's json module writes the numbers which JSON lacks as bare words; they become strings.
std::string with_quoted_words(std::string_view json) {
  constexpr std::array<std::string_view, 3> kWords = {"-Infinity", "Infinity", "NaN"};
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\' && i + 1 < json.size()) {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    const auto word = in_string || (c != '-' && c != 'I' && c != 'N')
                          ? kWords.end()
                          : std::ranges::find_if(kWords, [&](std::string_view each) {
                              return json.substr(i).starts_with(each);
                            });
    if (word == kWords.end()) {
      out += c;
      continue;
    }
    out += '"';
    out += *word;
    out += '"';
    i += word->size() - 1;
  }
  return out;
}

// --- a torch.save file of a dict of tensors
// ------------------------------------------------------------------

Result<Tensors> read_tensor_dict(const Storage& file) {
  TRY_ASSIGN(const Saved saved, read_saved(file.bytes, file.owner));
  Tensors out;
  TRY_ASSIGN(const auto entries, saved.view().entries());
  for (const auto& [key, value] : entries) {
    if (!key.is(pickle::Kind::kStr) || !Saved::is_tensor(value))
      continue;  // custom objects: refused where used
    TRY_ASSIGN(out[std::string(key.object().text())], saved.tensor(value));
  }
  return out;
}

Result<Tensors> read_tensor_dict(zip::Archive& archive, std::string_view name,
                                 const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const Storage file, read_entry(archive, name, owner));
  auto out = read_tensor_dict(file);
  if (!out) return base::with_context(std::move(out).error(), cat("in ", base::quoted(name)));
  return out;
}

// --- raw files with a table of contents
// ----------------------------------------------------------------------

Result<std::vector<std::int64_t>> sym_ints(const text::Json& meta, std::string_view key,
                                           std::string_view name) {
  const text::Json* const list = text::find_array(meta, key);
  if (list == nullptr) return bad_file(cat(base::quoted(name), " has no ", key));
  std::vector<std::int64_t> out;
  for (const text::Json& item : *list) {
    const auto number = text::find_integer(item, "as_int");
    if (!number) return bad_file(cat(key, " of ", base::quoted(name), " are not numbers"));
    out.push_back(*number);
  }
  return out;
}

Result<tensor::Tensor> read_payload(zip::Archive& archive, const std::string& folder, const std::string& name,
                                    const text::Json& entry, const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const std::string path, text::require_string(entry, "path_name", name));
  TRY_ASSIGN(const Storage file, read_entry(archive, cat(folder, path), owner));
  const text::Json* const meta = text::find_object(entry, "tensor_meta");
  if (text::find_bool(entry, "use_pickle").value_or(false)) {
    TRY_ASSIGN(const Saved saved, read_saved(file.bytes, file.owner));
    return saved.tensor(saved.view());
  }
  if (meta == nullptr) return bad_file(cat(base::quoted(name), " has no tensor_meta"));
  TRY_ASSIGN(const std::int64_t type, text::require_integer(*meta, "dtype", name));
  const auto dtype = dtype_of_serde(type);
  if (!dtype)
    return base::fail(base::Code::kUnsupported, "torch.unsupported_dtype",
                      cat(base::quoted(name), ": dtype number ", type, " is complex, quantised or unknown"),
                      "use a model whose tensors are float, int or bool");
  Window window{.dtype = *dtype};
  TRY_ASSIGN(window.sizes, sym_ints(*meta, "sizes", name));
  TRY_ASSIGN(window.strides, sym_ints(*meta, "strides", name));
  if (const text::Json* const offset = text::find(*meta, "storage_offset"))
    window.offset = text::find_integer(*offset, "as_int").value_or(0);
  return read_window(file, window, name);
}

Result<Tensors> read_payloads(zip::Archive& archive, const std::string& folder, std::string_view config,
                              const std::shared_ptr<const void>& owner) {
  Tensors out;
  TRY_ASSIGN(const std::string text, archive.read(config));
  TRY_ASSIGN(const text::Json json, text::parse_json(text, config, kJson));
  const text::Json* const entries = text::find_object(json, "config");
  if (entries == nullptr) return bad_file(cat(base::quoted(config), " has no config"));
  for (const auto& [name, entry] : entries->items()) {
    if (text::find_object(entry, "tensor_meta") == nullptr) continue;  // a custom object: refused where used
    TRY_ASSIGN(out[name], read_payload(archive, folder, name, entry, owner));
  }
  return out;
}

// Raw weights, or the one pickle of torch 2.8.
Result<Tensors> read_folder(zip::Archive& archive, const std::string& root, std::string_view kind,
                            const std::string& model, const std::shared_ptr<const void>& owner) {
  const std::string folder = cat(root, "data/", kind, "/");
  const std::string config = cat(folder, model, "_", kind, "_config.json");
  if (archive.has(config)) return read_payloads(archive, folder, config, owner);
  const std::string pickled = cat(folder, model, ".pt");
  if (archive.has(pickled)) return read_tensor_dict(archive, pickled, owner);
  return Tensors{};
}

Result<ProgramFiles> read_archive(zip::Archive& archive, const std::string& root,
                                  const std::shared_ptr<const void>& owner) {
  const std::string models = cat(root, "models/");
  std::vector<std::string> names;
  for (const std::string_view name : archive.names())
    if (name.starts_with(models) && name.ends_with(".json"))
      names.emplace_back(name.substr(models.size(), name.size() - models.size() - 5));
  if (names.empty()) return bad_file("the archive has no models/NAME.json");
  if (names.size() > 1)
    return base::fail(base::Code::kUnsupported, "torch.unsupported_container",
                      cat("the archive holds ", names.size(), " programs: ", base::join(names, ", ")),
                      "save one program per file");
  ProgramFiles out;
  TRY_ASSIGN(const std::string text, archive.read(cat(models, names[0], ".json")));
  TRY_ASSIGN(out.program, parse_program(text, cat("models/", names[0], ".json")));
  TRY_ASSIGN(out.weights, read_folder(archive, root, "weights", names[0], owner));
  TRY_ASSIGN(out.constants, read_folder(archive, root, "constants", names[0], owner));
  return out;
}

// torch 2.1 keeps constants in the graph: torch.save files in base64.
base::Status read_inline_constants(const text::Json& program, Tensors& constants) {
  const text::Json* const module = text::find_object(program, "graph_module");
  const text::Json* const graph = module != nullptr ? text::find_object(*module, "graph") : nullptr;
  const text::Json* const inlined = graph != nullptr ? text::find_object(*graph, "constants") : nullptr;
  if (inlined == nullptr) return {};
  for (const auto& [name, value] : inlined->items()) {
    if (!value.is_string()) return bad_file(cat("the constant ", base::quoted(name), " is no text"));
    auto bytes = base::base64_decode(value.get_ref<const std::string&>());
    if (!bytes) return bad_file(cat("the constant ", base::quoted(name), " is not base64"));
    const auto kept = std::make_shared<const std::string>(*std::move(bytes));
    TRY_ASSIGN(const Saved saved, read_saved(base::as_bytes(*kept), kept));
    TRY_ASSIGN(constants[name], saved.tensor(saved.view()));
  }
  return {};
}

Result<ProgramFiles> read_plain(zip::Archive& archive, const std::shared_ptr<const void>& owner) {
  ProgramFiles out;
  TRY_ASSIGN(const std::string text, archive.read("serialized_exported_program.json"));
  TRY_ASSIGN(out.program, parse_program(text, "serialized_exported_program.json"));
  for (const std::string_view name : {"serialized_state_dict.pt", "serialized_state_dict.json"})
    if (archive.has(name)) {
      TRY_ASSIGN(out.weights, read_tensor_dict(archive, name, owner));
    }
  TRY(read_inline_constants(out.program, out.constants));
  for (const std::string_view name :
       {"serialized_constants.pt", "serialized_constants.json", "serialized_tensor_constants.pt"})
    if (archive.has(name)) {
      TRY_ASSIGN(out.constants, read_tensor_dict(archive, name, owner));
    }
  return out;
}

}  // namespace

Result<text::Json> parse_program(std::string_view text, std::string_view name) {
  return text::parse_json(with_quoted_words(text), name, kJson);
}

Result<ProgramFiles> read_program_files(base::Bytes bytes, const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(bytes));
  if (archive.has("serialized_exported_program.json")) return read_plain(archive, owner);
  const auto root = find_prefix(archive, "archive_format");
  if (!root) return bad_file("the archive is no exported program: it has no archive_format");
  return read_archive(archive, *root, owner);
}

}  // namespace wherry::torch
