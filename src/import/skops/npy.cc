#include "import/skops/npy.h"

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace wherry::skops {

using base::cat;
using base::Result;

namespace {

constexpr std::uint64_t kMostItemBytes = std::uint64_t{1} << 30;

std::unexpected<base::Error> bad(std::string_view where, std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "skops.bad_array", cat(where, ": ", what),
                    "the file is damaged; save the model again");
}

// Python's literals, as far as headers have them.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  std::optional<Literal> read() {
    auto value = any(0);
    skip();
    return at_ == text_.size() ? std::move(value) : std::nullopt;
  }

 private:
  static constexpr int kDeepest = 16;

  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::optional<Literal> any(int depth) {
    if (depth > kDeepest) return std::nullopt;
    if (take("None")) return Literal{};
    if (take("True")) return Literal{.kind = Literal::Kind::kBool, .number = 1};
    if (take("False")) return Literal{.kind = Literal::Kind::kBool};
    if (take('{')) return items('}', Literal::Kind::kDict, depth);
    if (take('(')) return items(')', Literal::Kind::kSequence, depth);
    if (take('[')) return items(']', Literal::Kind::kSequence, depth);
    if (take('\'')) return quoted('\'');
    if (take('"')) return quoted('"');
    Literal number{.kind = Literal::Kind::kInt};
    const char* const end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, number.number);
    if (error != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(stop - text_.data());
    take('L');  // Python 2
    return number;
  }

  std::optional<Literal> items(char close, Literal::Kind kind, int depth) {
    Literal out{.kind = kind};
    while (!take(close)) {
      if (!out.items.empty() && !take(',')) return std::nullopt;
      if (take(close)) break;
      auto value = any(depth + 1);
      if (!value) return std::nullopt;
      out.items.push_back(*std::move(value));
      if (kind != Literal::Kind::kDict) continue;
      if (!take(':')) return std::nullopt;
      value = any(depth + 1);
      if (!value) return std::nullopt;
      out.items.push_back(*std::move(value));
    }
    return out;
  }

  // Names of fields; numpy's reprs escape nothing else than quotes and backslashes in them.
  std::optional<Literal> quoted(char quote) {
    Literal out{.kind = Literal::Kind::kText};
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) return ++at_, std::optional(std::move(out));
      if (text_[at_] == '\\' && ++at_ == text_.size()) return std::nullopt;
      out.text += text_[at_];
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// A dtype as text: "<f8", "|b1", "<U3", "<M8[ns]".
struct Code {
  char order = '|';
  std::string code;  // without order and unit: "f8"
  std::string unit;
  std::int64_t size = 0;  // bytes of one item

  bool is_flexible() const { return code[0] == 'S' || code[0] == 'U' || code[0] == 'V'; }
};

std::optional<Code> parse_code(std::string_view text) {
  Code out;
  if (!text.empty() && std::string_view("<>|=").contains(text[0])) {
    out.order = text[0];
    text.remove_prefix(1);
  }
  if (const auto bracket = text.find('['); bracket != std::string_view::npos) {
    if (text.back() != ']') return std::nullopt;
    out.unit = text.substr(bracket + 1, text.size() - bracket - 2);
    text = text.substr(0, bracket);
  }
  if (text.empty()) return std::nullopt;
  out.code = text;
  const auto count = base::parse_unsigned(text.substr(1));
  if (!count || *count > kMostItemBytes) return std::nullopt;
  out.size = static_cast<std::int64_t>(*count) * (text[0] == 'U' ? 4 : 1);
  return out;
}

void begin_dtype(PickleWriter& out, std::string_view code) {
  out.global("numpy", "dtype");
  out.mark(), out.text(code), out.boolean(false), out.boolean(true), out.tuple();
  out.reduce();
}

// (b'ns', 1, 1, 1): unit and count of a time, "25s" being 25 of s.
void write_unit(PickleWriter& out, std::string_view unit) {
  const auto digits = std::min(unit.find_first_not_of("0123456789"), unit.size());
  const auto count = base::parse_unsigned(unit.substr(0, digits));
  out.mark(), out.empty_dict();
  out.mark(), out.bytes(unit.substr(digits)), out.integer(static_cast<std::int64_t>(count.value_or(1)));
  out.integer(1), out.integer(1), out.tuple();
  out.tuple();
}

void write_plain(PickleWriter& out, const Code& code) {
  begin_dtype(out, code.code);
  out.mark();
  out.integer(code.unit.empty() ? 3 : 4);
  out.text(std::string_view(&code.order, 1));
  out.none(), out.none(), out.none();
  out.integer(code.is_flexible() ? code.size : -1);
  out.integer(code.is_flexible() ? (code.code[0] == 'U' ? 4 : 1) : -1);
  out.integer(0);
  if (!code.unit.empty()) write_unit(out, code.unit);
  out.tuple();
  out.build();
}

Result<std::int64_t> item_size(const Literal& descr, std::string_view where);

Result<std::int64_t> field_size(const Literal& field, std::string_view where) {
  if (field.kind != Literal::Kind::kSequence || field.items.size() < 2 || field.items.size() > 3 ||
      field.items[0].kind != Literal::Kind::kText)
    return bad(where, "a dtype whose fields are not (name, type)");
  TRY_ASSIGN(std::int64_t size, item_size(field.items[1], where));
  if (field.items.size() == 2) return size;
  for (const Literal& dimension : field.items[2].items) {
    if (dimension.number < 0 ||
        (size > 0 && dimension.number > static_cast<std::int64_t>(kMostItemBytes) / size))
      return bad(where, "a field with an absurd shape");
    size *= dimension.number;
  }
  return size;
}

Result<std::int64_t> item_size(const Literal& descr, std::string_view where) {
  if (descr.kind == Literal::Kind::kText) {
    const auto code = parse_code(descr.text);
    if (!code) return bad(where, cat("the dtype ", base::quoted(descr.text)));
    return code->size;
  }
  if (descr.kind != Literal::Kind::kSequence)
    return bad(where, "a dtype that is neither text nor a list of fields");
  std::int64_t total = 0;
  for (const Literal& field : descr.items) {
    TRY_ASSIGN(const std::int64_t size, field_size(field, where));
    if (size > static_cast<std::int64_t>(kMostItemBytes) - total)
      return bad(where, "a record of an absurd size");
    total += size;
  }
  return total;
}

// State of a dtype of `size` bytes with no byte order of its own; `middle` writes sub-array, names and
// fields.
template <class Middle>
base::Status write_void(PickleWriter& out, std::int64_t size, const Middle& middle) {
  begin_dtype(out, cat("V", size));
  out.mark(), out.integer(3), out.text("|");
  TRY(middle());
  out.integer(size), out.integer(1), out.integer(0);
  out.tuple();
  out.build();
  return {};
}

base::Status write_field_type(PickleWriter& out, const Literal& field, std::string_view where) {
  if (field.items.size() == 2) return write_dtype(out, field.items[1], where);
  TRY_ASSIGN(const std::int64_t size, field_size(field, where));
  return write_void(out, size, [&]() -> base::Status {
    out.mark();
    TRY(write_dtype(out, field.items[1], where));
    out.mark();
    for (const Literal& dimension : field.items[2].items) out.integer(dimension.number);
    out.tuple();
    out.tuple();
    out.none(), out.none();
    return {};
  });
}

// A record: fields one after the other; those without a name are padding.
base::Status write_record(PickleWriter& out, const Literal& descr, std::string_view where) {
  TRY_ASSIGN(const std::int64_t size, item_size(descr, where));
  return write_void(out, size, [&]() -> base::Status {
    out.none();
    out.mark();
    for (const Literal& field : descr.items)
      if (!field.items[0].text.empty()) out.text(field.items[0].text);
    out.tuple();
    out.empty_dict();
    out.mark();
    std::int64_t offset = 0;
    for (const Literal& field : descr.items) {
      TRY_ASSIGN(const std::int64_t width, field_size(field, where));
      if (!field.items[0].text.empty()) {
        out.text(field.items[0].text);
        out.mark();
        TRY(write_field_type(out, field, where));
        out.integer(offset), out.tuple();
      }
      offset += width;
    }
    out.set_items();
    return {};
  });
}

void begin_array(PickleWriter& out) {
  out.global("numpy._core.multiarray", "_reconstruct");
  out.mark(), out.global("numpy", "ndarray");
  out.mark(), out.integer(0), out.tuple();
  out.bytes("b"), out.tuple();
  out.reduce();
  out.mark(), out.integer(1);
}

void write_shape(PickleWriter& out, const std::vector<std::int64_t>& shape) {
  out.mark();
  for (const std::int64_t dimension : shape) out.integer(dimension);
  out.tuple();
}

}  // namespace

const Literal* Literal::find(std::string_view key) const {
  for (std::size_t i = 0; kind == Kind::kDict && i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::kText && items[i].text == key) return &items[i + 1];
  return nullptr;
}

Result<Npy> read_npy(std::string_view file, std::string_view where) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(file[i]); };
  if (!file.starts_with(kMagic) || file.size() < 12) return bad(where, "no array in numpy's format");
  const int version = byte(6);
  if (version < 1 || version > 3) return bad(where, cat("version ", version, " of numpy's format"));
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = byte(8) + std::size_t{256} * byte(9);
  if (version > 1) length += (std::size_t{byte(10)} << 16) + (std::size_t{byte(11)} << 24);
  if (length > file.size() - start) return bad(where, "the header is cut off");
  const auto header = LiteralReader(file.substr(start, length)).read();
  const Literal* descr = header ? header->find("descr") : nullptr;
  const Literal* fortran = header ? header->find("fortran_order") : nullptr;
  const Literal* shape = header ? header->find("shape") : nullptr;
  if (descr == nullptr || fortran == nullptr || shape == nullptr || shape->kind != Literal::Kind::kSequence)
    return bad(where, "a header without descr, fortran_order and shape");
  Npy out{.descr = *descr, .fortran_order = fortran->number != 0, .data = file.substr(start + length)};
  for (const Literal& dimension : shape->items) out.shape.push_back(dimension.number);
  return out;
}

base::Status write_dtype(PickleWriter& out, const Literal& descr, std::string_view where) {
  if (descr.kind != Literal::Kind::kText) return write_record(out, descr, where);
  const auto code = parse_code(descr.text);
  if (!code || code->code[0] == 'O') return bad(where, cat("the dtype ", base::quoted(descr.text)));
  write_plain(out, *code);
  return {};
}

base::Status write_array(PickleWriter& out, const Npy& array, std::string_view where) {
  begin_array(out);
  write_shape(out, array.shape);
  TRY(write_dtype(out, array.descr, where));
  out.boolean(array.fortran_order);
  out.bytes(array.data);
  out.tuple();
  out.build();
  return {};
}

base::Status write_scalar(PickleWriter& out, const Npy& array, std::string_view where) {
  if (!array.shape.empty()) return bad(where, "a scalar with dimensions");
  out.global("numpy._core.multiarray", "scalar");
  out.mark();
  TRY(write_dtype(out, array.descr, where));
  out.bytes(array.data);
  out.tuple();
  out.reduce();
  return {};
}

void begin_object_array(PickleWriter& out, const std::vector<std::int64_t>& shape) {
  begin_array(out);
  write_shape(out, shape);
  begin_dtype(out, "O8");
  out.mark(), out.integer(3), out.text("|"), out.none(), out.none(), out.none();
  out.integer(-1), out.integer(-1), out.integer(63), out.tuple();
  out.build();
  out.boolean(false);
  out.empty_list();
  out.mark();
}

void end_object_array(PickleWriter& out) {
  out.appends();
  out.tuple();
  out.build();
}

Result<std::vector<std::int64_t>> integers_of(const Npy& array, std::string_view where) {
  constexpr std::size_t kMost = 64;
  const bool wide = array.descr.text == "<i8";
  const std::size_t each = wide ? 8 : 4;
  if ((!wide && array.descr.text != "<i4") || array.shape.size() != 1 || array.data.size() % each != 0 ||
      array.data.size() > kMost * each)
    return bad(where, "is no short list of integers");
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < array.data.size(); i += each) {
    std::int64_t value = 0;
    std::int32_t narrow = 0;
    std::memcpy(wide ? static_cast<void*>(&value) : &narrow, array.data.data() + i, each);
    out.push_back(wide ? value : narrow);
  }
  return out;
}

}  // namespace wherry::skops
