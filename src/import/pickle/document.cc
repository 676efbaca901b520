#include "import/pickle/document.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "import/pickle/compression.h"
#include "import/pickle/machine.h"

namespace wherry::pickle {

struct Document::State {
  State(const Limits& limits, base::Bytes bytes) : stream(bytes), heap(limits, bytes.size()) {}

  std::shared_ptr<const void> owner;  // of the bytes of the file
  Buffer expanded;                    // empty when the file is not compressed
  base::Bytes stream;
  Heap heap;
  const Object* root = nullptr;
  int protocol = 0;
  bool joblib_arrays = false;
  std::uint64_t trailing = 0;
  std::string_view compression = "none";
};

namespace {

using namespace std::string_view_literals;

// Other kinds of files that end up under the name of a model.
struct OtherFormat {
  std::string_view magic;
  std::string_view id;
  std::string_view what;
  std::string_view hint;
};

constexpr std::size_t kTextBytes = 16;
constexpr std::string_view kOtherTool =
    "export the model with joblib.dump or pickle.dump, or name its own format";

constexpr auto kOtherFormats = std::to_array<OtherFormat>({
    {"ZF", "pickle.legacy_joblib", "the file was compressed by joblib 0.9 or older",
     "load it with joblib and save it again with joblib 0.10 or newer"},
    {"PK\x03\x04", "pickle.not_pickle",
     "the file is a zip archive (PyTorch, skops, Keras or numpy .npz), not a pickle", kOtherTool},
    {"\x89HDF", "pickle.not_pickle", "the file is HDF5 (Keras), not a pickle", kOtherTool},
    {"\x93NUMPY", "pickle.not_pickle", "the file is a numpy array, not a pickle",
     "save the fitted model instead"},
    {"\x7f"
     "ELF",
     "pickle.not_pickle", "the file is a program, not a pickle", "name the model file"},
    {"version https://git-lfs", "pickle.not_pickle", "the file is a Git LFS pointer, not the model itself",
     "fetch the model with: git lfs pull"},
    {"<", "pickle.not_pickle", "the file is HTML or XML, not a pickle",
     "the download may have been a login page; fetch the model again"},
    {"\x1f\x8b", "pickle.not_pickle", "the decompressed file is compressed once more", "decompress it first"},
});

base::Status refuse_other_formats(base::Bytes stream) {
  const std::string_view text = base::as_text(stream);
  if (text.empty())
    return base::fail(base::Code::kInvalidInput, "pickle.truncated", "the file is empty",
                      "copy the file again");
  for (const OtherFormat& row : kOtherFormats)
    if (text.starts_with(row.magic))
      return base::fail(base::Code::kUnsupported, row.id, std::string(row.what), std::string(row.hint));
  return {};
}

bool begins_as_text(base::Bytes stream) {
  const auto is_text = [](std::byte byte) {
    const auto c = std::to_integer<unsigned>(byte);
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  };
  return stream.size() >= kTextBytes && std::ranges::all_of(stream.first(kTextBytes), is_text);
}

// A first byte that is no opcode, or text that soon makes no sense, means that the file is something else.
base::Error as_other_format(base::Error error, base::Bytes stream, std::uint64_t failed_at) {
  const bool other =
      (error.id == "pickle.bad_opcode" && failed_at == 0) ||
      (error.code == base::Code::kInvalidInput && failed_at <= kTextBytes && begins_as_text(stream));
  if (!other) return error;
  error.id = "pickle.not_pickle";
  error.message = base::cat("the file is neither a pickle nor a joblib file (", error.message, ")");
  error.hint = kOtherTool;
  return error;
}

base::Status run(Document::State& state) {
  Machine machine(state.heap, state.stream, 0, 0);
  auto root = machine.run();
  if (!root)
    return std::unexpected(as_other_format(std::move(root).error(), state.stream, machine.failed_at()));
  TRY(state.heap.unify_keys());
  TRY(state.heap.measure_depth(**root));
  state.root = *root;
  state.protocol = machine.protocol();
  state.joblib_arrays = machine.has_joblib_arrays();
  state.trailing = state.stream.size() - machine.position();
  return {};
}

base::Result<Document> read(base::Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  if (bytes.size() > limits.file_bytes)
    return base::fail(base::Code::kLimit, "pickle.limit_file",
                      base::cat("the file has ", base::human_size(bytes.size()), ", the limit is ",
                                base::human_size(limits.file_bytes)),
                      "if the file is trusted, raise the limit");
  Buffer expanded;
  const Compression* const compression = find_compression(bytes);
  if (compression != nullptr) {
    TRY_ASSIGN(expanded, compression->expand(bytes, limits));
    bytes = expanded.bytes();
    owner = nullptr;
  }
  TRY(refuse_other_formats(bytes));
  auto state = std::make_unique<Document::State>(limits, bytes);
  state->owner = std::move(owner);
  state->expanded = std::move(expanded);
  if (compression != nullptr) state->compression = compression->name;
  TRY(run(*state));
  return Document(std::move(state));
}

}  // namespace

std::string GlobalUse::qualified() const {
  return base::cat(module, ".", name);
}

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

const Object& Document::root() const {
  return *state_->root;
}
std::span<const GlobalUse> Document::imports() const {
  return state_->heap.imports();
}
int Document::protocol() const {
  return state_->protocol;
}
std::string_view Document::compression() const {
  return state_->compression;
}
std::uint64_t Document::stream_bytes() const {
  return state_->stream.size();
}
std::uint64_t Document::trailing_bytes() const {
  return state_->trailing;
}
std::uint64_t Document::object_count() const {
  return state_->heap.object_count();
}
bool Document::has_joblib_arrays() const {
  return state_->joblib_arrays;
}

base::Result<Document> read_bytes(base::Bytes bytes, std::shared_ptr<const void> owner,
                                  const Limits& limits) {
  try {
    return read(bytes, std::move(owner), limits);
  } catch (const std::bad_alloc&) {
    return base::fail(base::Code::kLimit, "pickle.limit_memory", "out of memory while reading the pickle",
                      "read the model on a machine with more memory");
  }
}

base::Result<Document> read_string(std::string bytes, const Limits& limits) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  return read_bytes(base::as_bytes(*owner), owner, limits);
}

base::Result<Document> read_file(const std::filesystem::path& path, const Limits& limits) {
  TRY_ASSIGN(base::MappedFile file, base::MappedFile::open(path));
  const auto owner = std::make_shared<const base::MappedFile>(std::move(file));
  return read_bytes(owner->bytes(), owner, limits);
}

}  // namespace wherry::pickle
