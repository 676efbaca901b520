// The files of tests/fixtures/pickle and tests/fixtures/sklearn against what Python and numpy say is in them.
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

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

std::string normal_float(const std::string& python) {
  if (python == "nan" || python == "inf" || python == "-inf") return python;
  double value = 0;
  std::from_chars(python.data(), python.data() + python.size(), value);
  return float_text(value);
}

// --- the same json that symbolic.py writes, from our objects ---------------------------------------------

class Describer {
 public:
  Json describe(const Object& object) {
    switch (object.kind()) {
      case Kind::kNone:
        return nullptr;
      case Kind::kBool:
        return object.boolean();
      case Kind::kInt:
      case Kind::kBigInt:
        return {{"int", decimal(object)}};
      case Kind::kFloat:
        return {{"float", float_text(object.real())}};
      case Kind::kComplex:
        return {{"complex", {float_text(object.real()), float_text(object.imaginary())}}};
      case Kind::kStr:
        if (!base::is_valid_utf8(object.text())) return {{"str_wtf8", hex(object.text())}};
        return {{"str", std::string(object.text())}};
      case Kind::kBytes:
        return {{"bytes", hex(object.text())}};
      case Kind::kByteArray:
        return {{"bytearray", hex(object.text())}};
      case Kind::kGlobal:
        return {{"global", {std::string(object.global().module), std::string(object.global().name)}}};
      default:
        return container(object);
    }
  }

 private:
  Json container(const Object& object) {
    for (std::size_t level = 0; level < above_.size(); ++level)
      if (above_[above_.size() - 1 - level] == &object) return {{"up", level + 1}};
    above_.push_back(&object);
    Json out = inside(object);
    above_.pop_back();
    return out;
  }

  Json inside(const Object& object) {
    switch (object.kind()) {
      case Kind::kList:
        return {{"list", all(object.items())}};
      case Kind::kTuple:
        return {{"tuple", all(object.items())}};
      case Kind::kSet:
        return {{"set", all(object.items())}};
      case Kind::kFrozenSet:
        return {{"frozenset", all(object.items())}};
      case Kind::kDict:
        return {{"dict", pairs(object.mapping().entries)}};
      case Kind::kCall:
        return call(object.call());
      default:
        return std::string(name(object.kind()));
    }
  }

  Json call(const Call& call) {
    static const std::map<CallKind, std::string> kHow = {{CallKind::kReduce, "reduce"},
                                                         {CallKind::kNewObj, "newobj"},
                                                         {CallKind::kNewObjEx, "newobj"},
                                                         {CallKind::kObj, "obj"},
                                                         {CallKind::kInst, "obj"}};
    Json out;
    out["record"] = kHow.at(call.kind);
    out["callee"] = describe(*call.callee);
    above_.push_back(nullptr);  // the tuple of arguments is a level of its own
    out["args"] = {{"tuple", all(call.args)}};
    above_.pop_back();
    if (call.kwargs != nullptr) out["kwargs"] = describe(*call.kwargs);
    if (!call.states.empty()) out["state"] = describe(*call.states.back());
    if (!call.items.empty()) out["appended"] = all(call.items);
    if (!call.entries.empty()) out["items"] = pairs(call.entries);
    return out;
  }

  Json all(std::span<const Object* const> items) {
    Json out = Json::array();
    for (const Object* item : items) out.push_back(describe(*item));
    return out;
  }

  Json pairs(const std::vector<Entry>& entries) {
    Json out = Json::array();
    for (const Entry& entry : entries) {
      Json pair = Json::array();
      pair.push_back(describe(*entry.key));
      pair.push_back(describe(*entry.value));
      out.push_back(std::move(pair));
    }
    return out;
  }

  std::vector<const Object*> above_;
};

// --- what symbolic.py says, with the calls applied which our reader decodes --------------------------------

std::string latin1_hex(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80)
      bytes += utf8[i];
    else
      bytes += static_cast<char>(((byte & 3) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3f));
  }
  return hex(bytes);
}

Json unique_pairs(const Json& pairs) {
  Json out = Json::array();
  for (const Json& pair : pairs) {
    bool repeated = false;
    for (Json& earlier : out)
      if (earlier[0] == pair[0]) {
        earlier[1] = pair[1];
        repeated = true;
      }
    if (!repeated) out.push_back(pair);
  }
  return out;
}

Json decoded_call(const std::string& callee, const Json& args, const Json& record) {
  if ((callee == "builtins.set" || callee == "builtins.frozenset") && args.size() == 1)
    return {{callee.substr(9), args[0].contains("list") ? args[0]["list"] : args[0]["tuple"]}};
  if (callee == "builtins.bytes" && args.empty()) return {{"bytes", ""}};
  if (callee == "_codecs.encode") return {{"bytes", latin1_hex(args[0]["str"])}};
  if (callee == "builtins.bytearray") {
    if (args.empty()) return {{"bytearray", ""}};
    return {{"bytearray",
             args[0].contains("bytes") ? args[0]["bytes"].get<std::string>() : latin1_hex(args[0]["str"])}};
  }
  if (callee == "builtins.complex") return {{"complex", {args[0]["float"], args[1]["float"]}}};
  if (callee == "collections.OrderedDict" || callee == "collections.defaultdict")
    return {{"dict", record.contains("items") ? record["items"] : Json::array()}};
  if (callee == "collections.Counter") return args[0];
  return nullptr;
}

Json normalised(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value) out.push_back(normalised(item));
    return out;
  }
  if (!value.is_object()) return value;
  if (value.contains("float")) return {{"float", normal_float(value["float"])}};
  if (value.contains("global")) return value;
  Json out;
  for (const auto& [key, item] : value.items()) out[key] = normalised(item);
  if (out.contains("dict")) out["dict"] = unique_pairs(out["dict"]);
  if (out.contains("record") && out["record"] == "reduce" && out["callee"].contains("global")) {
    const std::string callee = base::cat(out["callee"]["global"][0].get<std::string>(), ".",
                                         out["callee"]["global"][1].get<std::string>());
    const Json decoded = decoded_call(callee, out["args"]["tuple"], out);
    if (!decoded.is_null()) return decoded;
  }
  return out;
}

TEST(PickleValues, AreWhatPythonSaysTheyAre) {
  const fs::path folder = fixtures() / "pickle/values";
  std::ifstream lines(folder / "expected.jsonl");
  ASSERT_TRUE(lines);
  int files = 0;
  for (std::string line; std::getline(lines, line); ++files) {
    const Json expected = parsed(line);
    const std::string file = expected["file"];
    SCOPED_TRACE(file);
    const auto document = read_file(folder / file);
    ASSERT_TRUE(document) << base::describe(document.error());
    EXPECT_EQ(text::write_json(Describer().describe(document->root())),
              text::write_json(normalised(expected["value"])));
  }
  EXPECT_GT(files, 200);
}

TEST(PickleValues, ListEveryGlobalThatTheFileNames) {
  const fs::path folder = fixtures() / "pickle/values";
  std::ifstream lines(folder / "expected.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const Json expected = parsed(line);
    SCOPED_TRACE(expected["file"].get<std::string>());
    const auto document = read_file(folder / expected["file"].get<std::string>());
    ASSERT_TRUE(document);
    std::vector<std::string> wanted;
    std::map<std::string, std::uint64_t> counts;
    for (const Json& global : expected["globals"]) {
      const std::string name = base::cat(global[0].get<std::string>(), ".", global[1].get<std::string>());
      if (counts[name]++ == 0) wanted.push_back(name);
    }
    std::vector<std::string> found;
    for (const GlobalUse& use : document->imports()) {
      found.push_back(use.qualified());
      EXPECT_EQ(use.count, counts[use.qualified()]);
    }
    EXPECT_EQ(found, wanted);
  }
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

// --- hostile files -----------------------------------------------------------------------------------------

TEST(HostileFiles, AreRecordedRefusedOrBoundedAsTheirListSays) {
  const fs::path folder = fixtures() / "pickle/hostile";
  const Json expected = parsed(content_of(folder / "expected.json"));
  EXPECT_GT(expected.size(), 100U);
  for (const auto& [file, row] : expected.items()) {
    SCOPED_TRACE(base::cat(file, ": ", row["about"].get<std::string>()));
    const auto start = std::chrono::steady_clock::now();
    const auto document = read_file(folder / file);
    const std::string expect = row["expect"];
    if (expect == "record") {
      ASSERT_TRUE(document) << base::describe(document.error());
      EXPECT_FALSE(document->imports().empty());
    } else if (expect == "error") {
      ASSERT_FALSE(document);
    }
    if (!document) {
      EXPECT_TRUE(document.error().id.starts_with("pickle.") || document.error().id.starts_with("base."));
      EXPECT_THAT(document.error().message, testing::Not(testing::HasSubstr("\n")));
      EXPECT_FALSE(document.error().hint.empty());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  }
}

TEST(HostileFiles, AGlobalThatWasPoppedStaysInTheManifest) {
  for (const std::string file : {"popped_reduce.pkl", "pop_marked_reduce.pkl", "overwritten_memo.pkl"}) {
    const auto document = read_file(fixtures() / "pickle/hostile" / file);
    ASSERT_TRUE(document) << file;
    ASSERT_EQ(document->imports().size(), 1U) << file;
    EXPECT_TRUE(document->imports()[0].called) << file;
  }
}

TEST(HostileFiles, AGlobalInAnObjectArrayIsInTheManifest) {
  const auto document = read_file(fixtures() / "pickle/hostile/in_object_array.joblib");
  ASSERT_TRUE(document);
  std::vector<std::string> names;
  for (const GlobalUse& use : document->imports()) names.push_back(use.qualified());
  EXPECT_THAT(names, testing::Contains("posix.system"));
}

// --- models ------------------------------------------------------------------------------------------------

TEST(SklearnFixtures, EveryModelIsReadWithArraysAndVersion) {
  int models = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fixtures() / "sklearn")) {
    const std::string name = entry.path().filename().string();
    if (name != "model.joblib" && name != "model.pkl") continue;
    SCOPED_TRACE(entry.path().string());
    const auto document = read_file(entry.path());
    ASSERT_TRUE(document) << base::describe(document.error());
    EXPECT_THAT(document->view().class_name(), testing::StartsWith("sklearn."));
    EXPECT_TRUE(document->view().has("_sklearn_version"));
    EXPECT_EQ(document->trailing_bytes(), 0U);
    ++models;
  }
  EXPECT_GT(models, 50);
}

// --- every prefix of a file is refused
// -----------------------------------------------------------------------

void expect_every_prefix_refused(const fs::path& path) {
  SCOPED_TRACE(path.string());
  const std::string content = content_of(path);
  const auto whole = read_bytes(base::as_bytes(content));
  ASSERT_TRUE(whole) << base::describe(whole.error());
  const std::size_t end = content.size() - (whole->compression() == "none" ? whole->trailing_bytes() : 0);
  for (std::size_t size = 0; size < end; ++size) {
    // An allocation of its own, so that a sanitizer sees every read past the end.
    const std::vector<char> part(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size));
    const auto document = read_bytes(base::as_bytes({part.data(), part.size()}));
    ASSERT_FALSE(document) << "cut after " << size << " of " << content.size();
  }
}

TEST(Truncation, EveryPrefixOfAValueFileIsRefused) {
  for (const auto& entry : fs::directory_iterator(fixtures() / "pickle/values"))
    if (entry.path().extension() == ".pkl" && entry.file_size() < 4096)
      expect_every_prefix_refused(entry.path());
}

TEST(Truncation, EveryPrefixOfAnArrayFileIsRefused) {
  for (const auto& folder : fs::directory_iterator(fixtures() / "pickle")) {
    if (!folder.path().filename().string().starts_with("numpy-")) continue;
    for (const std::string file : {"scalars.p5.pkl", "sparse.joblib", "others.p2.pkl"})
      expect_every_prefix_refused(folder.path() / file);
  }
}

TEST(Truncation, EveryPrefixOfAJoblibFileIsRefused) {
  const fs::path folder = fixtures() / "pickle/numpy-2.5.5-joblib-1.6.0";
  for (const std::string file :
       {"arrays.joblib", "arrays.zlib.joblib", "arrays.gzip.joblib", "arrays.lz4.joblib"})
    expect_every_prefix_refused(folder / file);
}

}  // namespace
}  // namespace wherry::pickle
