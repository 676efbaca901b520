// tests/fixtures/pickle/numpy-* against the values that numpy printed.
#include <cmath>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/pickle/document.h"
#include "text/json.h"

namespace wherry::pickle {
namespace {

namespace fs = std::filesystem;
using text::Json;

fs::path fixtures() {
  return fs::path(WHERRY_SOURCE_DIR) / "tests/fixtures";
}

std::string content_of(const fs::path& path) {
  auto content = base::real_files().read(path, 1 << 30);
  EXPECT_TRUE(content) << path;
  return content ? *std::move(content) : std::string{};
}

// Python writes NaN and Infinity into json; as strings they can be parsed.
std::string with_quoted_constants(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = json.substr(i);
    if (quoted && json[i] == '\\') {
      out += json[i++];
    } else if (json[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      for (const std::string_view constant : {"NaN", "Infinity", "-Infinity"})
        if (rest.starts_with(constant)) {
          out += base::cat("\"", constant, "\"");
          i += constant.size();
          break;
        }
    }
    out += json[i];
  }
  return out;
}

Json parsed(std::string_view json) {
  auto value = text::parse_json(with_quoted_constants(json), "expected", {.bytes = 1 << 30, .depth = 1000});
  EXPECT_TRUE(value) << (value ? "" : base::describe(value.error()));
  return value ? *std::move(value) : Json{};
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Python's repr of a float in the form that both sides use here.
std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return base::cat(value == 0 && std::signbit(value) ? "-0" : base::cat(value));
}

// --- arrays ------------------------------------------------------------------------------------------------

std::string type_text(const Dtype& type) {
  if (type.kind == 'O') return "|O";
  std::string text(1, type.byte_order);
  text += type.kind;
  text += base::cat(type.kind == 'U' ? type.itemsize / 4 : type.itemsize);
  if (!type.time_unit.empty())
    text += type.time_count == 1 ? base::cat("[", type.time_unit, "]")
                                 : base::cat("[", type.time_count, type.time_unit, "]");
  return text;
}

void expect_dtype(const Dtype& type, const Json& expected) {
  if (expected.is_string()) {
    EXPECT_EQ(type_text(type), expected.get<std::string>());
    return;
  }
  if (expected.contains("base")) {
    ASSERT_NE(type.element, nullptr);
    expect_dtype(*type.element, expected["base"]);
    EXPECT_EQ(type.sub_shape, expected["shape"].get<std::vector<std::int64_t>>());
    return;
  }
  EXPECT_EQ(type.itemsize, expected["itemsize"].get<std::uint64_t>());
  ASSERT_EQ(type.fields.size(), expected["fields"].size());
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    EXPECT_EQ(type.fields[i].name, expected["fields"][i][0].get<std::string>());
    EXPECT_EQ(type.fields[i].offset, expected["fields"][i][2].get<std::uint64_t>());
    expect_dtype(*type.fields[i].type, expected["fields"][i][1]);
  }
}

double number_in(const Json& value) {
  if (!value.is_string()) return value.get<double>();
  const std::string text = value;
  return text == "NaN" ? NAN : text == "Infinity" ? INFINITY : -INFINITY;
}

void expect_value(const View& view, const Json& expected);

void expect_numbers(const NdArray& array, const Json& values) {
  const auto doubles = to_doubles(array, "array");
  ASSERT_TRUE(doubles) << base::describe(doubles.error());
  ASSERT_EQ(doubles->size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(float_text((*doubles)[i]), float_text(number_in(values[i]))) << i;
}

void expect_integers(const NdArray& array, const Json& values) {
  if (!values.empty() && values[0].is_number_unsigned() && values[0].get<std::uint64_t>() >> 63 != 0) {
    EXPECT_EQ(to_int64s(array, "array").error().id, "pickle.lossy");
    return;
  }
  const auto integers = to_int64s(array, "array");
  ASSERT_TRUE(integers) << base::describe(integers.error());
  EXPECT_EQ(*integers, values.get<std::vector<std::int64_t>>());
}

// Times are int64 counts.
void expect_times(NdArray array, const Json& values) {
  Dtype count{.kind = 'i', .byte_order = array.dtype->byte_order, .itemsize = 8, .alignment = 8};
  array.dtype = &count;
  expect_integers(array, values);
}

void expect_complex(NdArray array, const Json& values) {
  const Dtype part{.kind = 'f', .byte_order = array.dtype->byte_order, .itemsize = array.dtype->itemsize / 2};
  const std::string raw = *to_raw(array, "array");
  NdArray flat{.dtype = &part,
               .shape = {static_cast<std::int64_t>(array.count * 2)},
               .strides = {static_cast<std::int64_t>(part.itemsize)},
               .count = array.count * 2,
               .origin = reinterpret_cast<const std::byte*>(raw.data())};
  Json numbers = Json::array();
  for (const Json& value : values)
    for (const Json& number : value) numbers.push_back(number);
  expect_numbers(flat, numbers);
}

void expect_texts(const NdArray& array, const Json& values) {
  const auto texts = to_strings(array, "array");
  ASSERT_TRUE(texts) << base::describe(texts.error());
  ASSERT_EQ(texts->size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(values[i].is_string() ? (*texts)[i] : hex((*texts)[i]),
              values[i].is_string() ? values[i].get<std::string>() : values[i]["bytes"].get<std::string>());
}

void expect_elements(const NdArray& array, const Json& values);

// Field by field; a record is a list of its fields, a sub-array a list of its numbers.
void expect_records(const NdArray& array, const Json& values) {
  for (std::size_t f = 0; f < array.dtype->fields.size(); ++f) {
    const auto column = field(array, array.dtype->fields[f].name, "array");
    ASSERT_TRUE(column);
    Json expected = Json::array();
    for (const Json& record : values) {
      if (array.dtype->fields[f].type->element == nullptr) {
        expected.push_back(record[f]);
      } else {
        for (const Json& cell : record[f]) expected.push_back(cell);
      }
    }
    expect_elements(*column, expected);
  }
}

void expect_elements(const NdArray& array, const Json& values) {
  ASSERT_EQ(array.count, values.size());
  if (!array.dtype->fields.empty()) return expect_records(array, values);
  switch (array.dtype->kind) {
    case 'b':
      EXPECT_EQ(*to_bools(array, "array"), values.get<std::vector<bool>>());
      return;
    case 'i':
    case 'u':
      return expect_integers(array, values);
    case 'f':
      return expect_numbers(array, values);
    case 'c':
      return expect_complex(array, values);
    case 'M':
    case 'm':
      return expect_times(array, values);
    case 'U':
    case 'S':
      return expect_texts(array, values);
    case 'O':
      for (std::size_t i = 0; i < values.size(); ++i) expect_value(View(*array.elements[i], "x"), values[i]);
      return;
    default: {
      const std::string raw = *to_raw(array, "array");
      std::string expected;
      for (const Json& value : values) expected += value["bytes"].get<std::string>();
      EXPECT_EQ(hex(raw), expected);
    }
  }
}

void expect_plain(const View& view, const Json& expected) {
  if (expected.is_null()) {
    EXPECT_TRUE(view.is_none());
  } else if (expected.is_boolean()) {
    EXPECT_EQ(*view.as_bool(), expected.get<bool>());
  } else if (expected.is_number_integer()) {
    EXPECT_EQ(*view.as_int(), expected.get<std::int64_t>());
  } else if (expected.is_number() || expected == "NaN") {
    EXPECT_EQ(float_text(*view.as_double()), float_text(number_in(expected)));
  } else if (expected.is_string()) {
    EXPECT_EQ(*view.as_string(), expected.get<std::string>());
  } else if (expected.contains("bytes")) {
    EXPECT_EQ(hex(base::as_text(*view.as_bytes())), expected["bytes"].get<std::string>());
  } else {
    EXPECT_EQ(decimal(view.object()), expected["int"].get<std::string>());
  }
}

void expect_sparse(const View& view, const Json& expected) {
  const auto csr = view.sparse();
  ASSERT_TRUE(csr) << base::describe(csr.error());
  EXPECT_EQ(csr->rows, expected["shape"][0].get<std::int64_t>());
  EXPECT_EQ(csr->columns, expected["shape"][1].get<std::int64_t>());
  EXPECT_EQ(csr->values.size(), expected["stored"].get<std::size_t>());
  std::vector<std::vector<double>> dense(static_cast<std::size_t>(csr->rows),
                                         std::vector<double>(static_cast<std::size_t>(csr->columns)));
  for (std::size_t row = 0; row < dense.size(); ++row)
    for (auto i = static_cast<std::size_t>(csr->offsets[row]);
         i < static_cast<std::size_t>(csr->offsets[row + 1]); ++i)
      dense[row][static_cast<std::size_t>(csr->indices[i])] += csr->values[i];
  EXPECT_EQ(dense, expected["dense"].get<std::vector<std::vector<double>>>());
}

void expect_value(const View& view, const Json& expected) {
  if (!expected.is_object() || expected.contains("bytes") || expected.contains("int")) {
    expect_plain(view, expected);
  } else if (expected.contains("values")) {
    const auto array = view.array();
    ASSERT_TRUE(array) << base::describe(array.error());
    EXPECT_EQ(view.kind(), Kind::kArray);
    expect_dtype(*array->dtype, expected["dtype"]);
    EXPECT_EQ(array->shape, expected["shape"].get<std::vector<std::int64_t>>());
    expect_elements(*array, expected["values"]);
  } else if (expected.contains("scalar")) {
    ASSERT_EQ(view.kind(), Kind::kScalar);
    expect_dtype(*view->array().dtype, expected["scalar"]);
    Json one = Json::array();
    one.push_back(expected["value"]);
    expect_elements(view->array(), one);
  } else if (expected.contains("sparse")) {
    expect_sparse(view, expected);
  } else if (expected.contains("masked")) {
    EXPECT_EQ(view->call().callee->global().name, "_mareconstruct");
    EXPECT_EQ(view.state()->object().items().size(), 7U);
  } else if (expected.contains("is_dtype")) {
    ASSERT_EQ(view.kind(), Kind::kDtype);
    expect_dtype(view->dtype(), expected["is_dtype"]);
  } else if (expected.contains("list")) {
    const auto items = view.items();
    ASSERT_TRUE(items);
    ASSERT_EQ(items->size(), expected["list"].size());
    for (std::size_t i = 0; i < items->size(); ++i) expect_value((*items)[i], expected["list"][i]);
  } else {
    ASSERT_TRUE(expected.contains("opaque"));
  }
}

TEST(NumpyFixtures, EveryValueOfEveryFileIsNumpys) {
  int values = 0;
  for (const auto& folder : fs::directory_iterator(fixtures() / "pickle")) {
    if (!folder.path().filename().string().starts_with("numpy-")) continue;
    const Json expected = parsed(content_of(folder.path() / "expected.json"));
    for (const Json& row : expected["files"]) {
      const std::string file = row[0];
      SCOPED_TRACE((folder.path().filename() / file).string());
      const auto document = read_file(folder.path() / file);
      ASSERT_TRUE(document) << base::describe(document.error());
      for (const auto& [name, value] : expected[row[1].get<std::string>()].items()) {
        SCOPED_TRACE(name);
        const auto view = document->view().key(name);
        ASSERT_TRUE(view) << base::describe(view.error());
        expect_value(*view, value);
        ++values;
      }
    }
  }
  EXPECT_GT(values, 1000);
}

TEST(NumpyFixtures, CompressionIsRecognised) {
  const fs::path folder = fixtures() / "pickle/numpy-2.5.5-joblib-1.6.0";
  for (const std::string name : {"zlib", "gzip", "bz2", "xz", "lzma", "lz4"}) {
    const auto document = read_file(folder / base::cat("arrays.", name, ".joblib"));
    ASSERT_TRUE(document) << name;
    EXPECT_EQ(document->compression(), name);
    EXPECT_TRUE(document->has_joblib_arrays());
  }
  EXPECT_EQ(read_file(folder / "arrays.p4.pkl")->compression(), "none");
}

}  // namespace
}  // namespace wherry::pickle
