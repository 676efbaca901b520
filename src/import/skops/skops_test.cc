#include "import/skops/skops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/skops/nodes.h"
#include "import/skops/npy.h"
#include "text/json.h"

namespace wherry::skops {
namespace {

using pickle::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An archive of nothing: schemas here name no files, unless to miss them.
const std::string kNoFiles = std::string("none") + std::string("PK\x05\x06") + std::string(18, '\0');

base::Result<pickle::Document> read(std::string_view schema) {
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(base::as_bytes(kNoFiles)));
  TRY_ASSIGN(const text::Json json, text::parse_json(schema, "schema.json", {.depth = 2'000}));
  TRY_ASSIGN(std::string stream, to_pickle(json, archive, {}));
  return pickle::read_string(std::move(stream));
}

pickle::Document document(std::string_view schema) {
  auto made = read(schema);
  EXPECT_TRUE(made) << base::describe(made.error());
  return *std::move(made);
}

std::string error_id(std::string_view schema) {
  const auto made = read(schema);
  return made ? "" : made.error().id;
}

std::string node(std::string_view loader, std::string_view class_name, std::string_view rest,
                 std::string_view module = "builtins") {
  return base::cat(R"({"__loader__": ")", loader, R"(", "__module__": ")", module, R"(", "__class__": ")",
                   class_name, R"(")", rest.empty() ? "" : ", ", rest, "}");
}
std::string json(std::string_view content) {
  return node("JsonNode", "str", base::cat(R"("content": ")", content, R"(", "is_json": true)"));
}
std::string list(std::string_view items) {
  return node("ListNode", "list", base::cat(R"("content": [)", items, "]"));
}
std::string type(std::string_view name) {
  return node("TypeNode", name, "");
}
std::string dict(std::string_view types, std::string_view content) {
  return node("DictNode", "dict",
              base::cat(R"("key_types": )", list(types), R"(, "content": {)", content, "}"));
}

TEST(Skops, ReadsPlainValuesAsPythonWritesThem) {
  const auto made = document(list(base::cat(
      json("null"), ",", json("true"), ",", json("-7"), ",", json("0.1"), ",", json("NaN"), ",",
      json("-Infinity"), ",", json("\\\"ü\\\""), ",", json("340282366920938463463374607431768211456"))));
  const auto items = made.view().items();
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 8U);
  EXPECT_TRUE((*items)[0].is_none());
  EXPECT_EQ((*items)[1].as_bool().value_or(false), true);
  EXPECT_EQ((*items)[2].as_int().value_or(0), -7);
  EXPECT_EQ((*items)[3].as_double().value_or(0), 0.1);
  EXPECT_NE((*items)[4].as_double().value_or(0), (*items)[4].as_double().value_or(0));
  EXPECT_EQ((*items)[5].as_double().value_or(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ((*items)[6].as_string().value_or(""), "ü");
  EXPECT_EQ((*items)[7].kind(), Kind::kBigInt);
}

TEST(Skops, KeysOfDictsAreOfTheirTypes) {
  const auto made =
      document(dict(base::cat(type("str"), ",", type("int64"), ",", type("float")),
                    base::cat(R"("a": )", json("1"), R"(, "2": )", json("2"), R"(, "0.5": )", json("3"))));
  const auto entries = made.view().entries();
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].first.as_string().value_or(""), "a");
  EXPECT_EQ((*entries)[1].first.as_int().value_or(0), 2);
  EXPECT_EQ((*entries)[2].first.as_double().value_or(0), 0.5);
  EXPECT_EQ((*entries)[2].second.as_int().value_or(0), 3);
}

TEST(Skops, AnObjectIsAnInertInstanceWithItsState) {
  const std::string state = dict(type("str"), base::cat(R"("alpha": )", json("0.5")));
  const auto made = document(
      node("ObjectNode", "Ridge", base::cat(R"("content": )", state), "sklearn.linear_model._ridge"));
  EXPECT_EQ(made.view().class_name(), "sklearn.linear_model._ridge.Ridge");
  EXPECT_EQ(made.view().attr("alpha")->as_double().value_or(0), 0.5);
  ASSERT_EQ(made.imports().size(), 1U);
  EXPECT_TRUE(made.imports()[0].called);
}

TEST(Skops, AnObjectNamedTwiceIsOneObject) {
  const std::string shared = node("ListNode", "list", R"("content": [], "__id__": 5)");
  const std::string cached = R"({"__loader__": "CachedNode", "__id__": 5})";
  const auto made = document(list(base::cat(shared, ",", shared, ",", cached)));
  const auto items = made.view().items();
  ASSERT_TRUE(items);
  EXPECT_EQ(&(*items)[0].object(), &(*items)[1].object());
  EXPECT_EQ(&(*items)[0].object(), &(*items)[2].object());
}

TEST(Skops, AFunctionIsOnlyAName) {
  const auto made = document(node("FunctionNode", "system", "", "os"));
  EXPECT_EQ(made.view().global_name(), "os.system");
  EXPECT_FALSE(made.imports()[0].called);
}

TEST(Skops, AnUnknownNodeIsNamed) {
  const auto made = read(list(node("NewNode", "Thing", "", "some.package")));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().id, "skops.unknown_node");
  EXPECT_THAT(
      made.error().message,
      HasSubstr("schema.json.content[0]: an object of class some.package.Thing, stored as 'NewNode'"));
}

TEST(Skops, SchemasThatMakeNoSenseAreRefused) {
  const std::string array = R"("type": "json", "content": [], "shape": )";
  for (const std::string& schema :
       {std::string("[]"), std::string("{}"), json("[1"), json("[1, 2]"), node("JsonNode", "str", ""),
        node("ListNode", "list", R"("content": 3)"), node("ListNode", "list", R"("content": [3])"),
        dict(type("str"), ""), dict(type("int"), base::cat(R"("a": )", json("1"))),
        std::string(R"({"__loader__": "CachedNode", "__id__": 5})"),
        std::string(R"({"__loader__": "ObjectNode", "__class__": "A"})"),
        node("TreeNode", "Tree", R"("content": null)"), node("NdArrayNode", "ndarray", R"("type": "other")"),
        node("NdArrayNode", "ndarray", R"("type": "numpy")"),
        node("NdArrayNode", "ndarray", array + list(json("-1"))),
        node("NdArrayNode", "ndarray", array + list(json("2"))),
        node("SliceNode", "slice", R"("content": {"start": [], "stop": 1, "step": null})")}) {
    const std::string id = error_id(schema);
    EXPECT_THAT(id, testing::AnyOf("skops.bad_schema", "text.json_syntax", "text.json_limit")) << schema;
  }
}

TEST(Skops, AMissingFileIsNamed) {
  EXPECT_EQ(error_id(node("NdArrayNode", "ndarray", R"("type": "numpy", "file": "1.npy")")), "zip.no_entry");
}

TEST(Skops, DeepNestingIsRefused) {
  std::string schema = json("1");
  for (int i = 0; i < 300; ++i) schema = list(schema);
  EXPECT_EQ(error_id(schema), "skops.too_deep");
}

TEST(Skops, ObjectArraysOfTwoDimensionsAreFlattened) {
  const std::string rows =
      base::cat(list(base::cat(json("1"), ",", json("2"))), ",", list(base::cat(json("3"), ",", json("4"))));
  const auto made =
      document(node("NdArrayNode", "ndarray",
                    base::cat(R"("type": "json", "shape": )", list(base::cat(json("2"), ",", json("2"))),
                              R"(, "content": [)", rows, "]"),
                    "numpy"));
  EXPECT_THAT(made.view().doubles().value_or(std::vector<double>()), ElementsAre(1, 2, 3, 4));
}

TEST(Skops, AFileThatIsNoSkopsFileIsNotTakenForOne) {
  EXPECT_FALSE(recognise(kNoFiles));
  EXPECT_FALSE(recognise("PK\x03\x04 and more"));
  EXPECT_FALSE(recognise("\x80\x04K\x01."));
}

TEST(Skops, EveryTruncationOfAFileIsAnError) {
  const auto file = base::MappedFile::open(std::string(WHERRY_SOURCE_DIR) +
                                           "/tests/fixtures/skops/0.16.0/skops_linear/model.skops");
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_TRUE(recognise(base::as_text(file->bytes())));
  ASSERT_TRUE(read_bytes(file->bytes()));
  for (std::size_t size = 0; size < file->bytes().size(); size += 7)
    EXPECT_FALSE(read_bytes(file->bytes().first(size))) << size;
}

// --- numpy's format

std::string npy(std::string_view header, std::string_view data, char version = 1) {
  std::string out = std::string("\x93NUMPY") + version + '\0';
  out += static_cast<char>(header.size()), out += '\0';
  if (version > 1) out += std::string(2, '\0');
  return base::cat(out, header, data);
}

TEST(Npy, ReadsHeadersOfEveryVersion) {
  for (const char version : {'\x01', '\x02', '\x03'}) {
    const std::string file =
        npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", "data", version);
    const auto array = read_npy(file, "a");
    ASSERT_TRUE(array) << base::describe(array.error());
    EXPECT_EQ(array->descr.text, "<f8");
    EXPECT_TRUE(array->fortran_order);
    EXPECT_THAT(array->shape, ElementsAre(2, 3));
    EXPECT_EQ(array->data, "data");
  }
}

TEST(Npy, RefusesWhatIsNoHeader) {
  for (const std::string& file :
       {std::string(), std::string("\x93NUMPY"), npy("", ""), npy("{'descr': '<f8'}", ""),
        npy("{'descr': ", ""), npy("{'descr': '<f8', 'fortran_order': True, 'shape': 3}", ""),
        npy("((((((((((((((((((((", ""),
        npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2,)}", "", '\x04'),
        npy("x", "").substr(0, 12)})
    EXPECT_FALSE(read_npy(file, "a")) << base::quoted(file);
}

TEST(Npy, ARecordBecomesADtypeWithItsFields) {
  const std::string file =
      npy("{'descr': [('left', '<i8'), ('', '|V4'), ('value', '<f8', (2,))], "
          "'fortran_order': False, 'shape': (1,)}",
          std::string(28, '\0'));
  const auto array = read_npy(file, "a");
  ASSERT_TRUE(array);
  PickleWriter out;
  ASSERT_TRUE(write_array(out, *array, "a"));
  const auto made = pickle::read_string(std::move(out).finish());
  ASSERT_TRUE(made) << base::describe(made.error());
  const auto records = made->view().array();
  ASSERT_TRUE(records);
  EXPECT_EQ(records->dtype->itemsize, 28U);
  ASSERT_NE(records->dtype->find("value"), nullptr);
  EXPECT_EQ(records->dtype->find("value")->offset, 12U);
}

TEST(Npy, RefusesObjectsAndUnknownTypes) {
  for (const std::string_view descr :
       {"'|O'", "'|O8'", "'f'", "''", "'<f99999999999'", "3", "[('a',)]", "[3]"}) {
    const std::string file =
        npy(base::cat("{'descr': ", descr, ", 'fortran_order': False, 'shape': ()}"), "");
    const auto array = read_npy(file, "a");
    ASSERT_TRUE(array);
    PickleWriter out;
    EXPECT_FALSE(write_dtype(out, array->descr, "a")) << descr;
  }
}

}  // namespace
}  // namespace wherry::skops
