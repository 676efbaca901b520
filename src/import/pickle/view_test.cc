#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/text.h"
#include "import/pickle/document.h"

namespace wherry::pickle {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

Document read_text(const std::string& pickle) {
  auto document = read_string(pickle);
  if (!document) ADD_FAILURE() << base::describe(document.error());
  return document ? *std::move(document) : *read_string("N.");
}

// Protocol 0, as a person can read it: an instance a.B whose state is {…}.
std::string instance(const std::string& attributes) {
  return "ca\nB\n)\x81}(" + attributes + "ub";
}

TEST(View, FollowsAttributesAndItemsAndNamesTheWay) {
  const Document document =
      read_text(instance("S'steps'\n(S'x'\n" + instance("S'coef_'\nS'text'\n") + "l") + ".");
  const auto coef = document.view().attr("steps")->item(1)->attr("coef_");
  ASSERT_TRUE(coef);
  EXPECT_EQ(coef->path(), "steps[1].coef_");
  EXPECT_EQ(coef->doubles().error().message, "steps[1].coef_: expected an array of numbers, found str");
}

TEST(View, SaysWhichAttributeIsMissing) {
  const Document document = read_text(instance("S'a'\nI1\n") + ".");
  const auto missing = document.view().attr("b");
  EXPECT_EQ(missing.error().id, "pickle.missing_attribute");
  EXPECT_EQ(missing.error().message, "the model: instance of 'a.B' has no attribute 'b'");
  EXPECT_FALSE(document.view().has("b"));
}

TEST(View, FindsAttributesInSlots) {
  const Document document = read_text("ca\nB\n)\x81(N}S'x'\nI5\nstb.");
  EXPECT_EQ(*document.view().attr("x")->as_int(), 5);
  EXPECT_THAT(document.view().attribute_names(), ElementsAre("x"));
}

TEST(View, LetsTheLastStateWin) {
  const Document document = read_text("ca\nB\n)\x81}S'x'\nI1\nsb}S'x'\nI2\nsb.");
  EXPECT_EQ(*document.view().attr("x")->as_int(), 2);
}

TEST(View, FindsAttributesAmongItemsOfADictSubclass) {
  const Document document = read_text("csklearn.utils._bunch\nBunch\n)\x81S'key'\nI3\ns.");
  EXPECT_EQ(*document.view().attr("key")->as_int(), 3);
  EXPECT_EQ(*document.view().key("key")->as_int(), 3);
}

struct ClassCase {
  const char* what;
  std::string pickle;
  const char* name;
};

TEST(View, NamesTheClassHoweverTheInstanceWasMade) {
  const ClassCase kCases[] = {
      {"NEWOBJ", "ca\nB\n)\x81.", "a.B"},
      {"REDUCE of the class", "csklearn.tree._tree\nTree\n(I3\ntR.", "sklearn.tree._tree.Tree"},
      {"copyreg", "ccopy_reg\n_reconstructor\n(ca\nB\nc__builtin__\nobject\nNtR.", "a.B"},
      {"cython", "csklearn._loss._loss\n__pyx_unpickle_CyHalf\n(ca\nB\nI1\nNtR.", "a.B"},
      {"kd-tree", "csklearn.neighbors._kd_tree\nnewObj\n(ca\nB\ntR.", "a.B"},
      {"protocol 2 keyword arguments",
       "cfunctools\npartial\n(cbuiltins\ngetattr\n(ca\nB\nS'__new__'\ntRca\nB\ntR)R.", "a.B"},
      {"not an instance", "I1\n.", ""},
  };
  for (const ClassCase& row : kCases) {
    const Document document = read_text(row.pickle);
    EXPECT_EQ(document.view().class_name(), row.name) << row.what;
  }
}

TEST(View, ReadsPlainValues) {
  const Document document = read_text("(I01\nI7\nF2.5\nS'x'\nC\x01yNcnumpy\nfloat64\nt.");
  const auto items = *document.view().items();
  EXPECT_EQ(*items[0].as_bool(), true);
  EXPECT_EQ(*items[1].as_int(), 7);
  EXPECT_EQ(*items[1].as_double(), 7.0);
  EXPECT_EQ(*items[2].as_double(), 2.5);
  EXPECT_EQ(*items[3].as_string(), "x");
  EXPECT_EQ(base::as_text(*items[4].as_bytes()), "y");
  EXPECT_TRUE(items[5].is_none());
  EXPECT_EQ(items[6].global_name(), "numpy.float64");
}

TEST(View, RefusesValuesOfOtherTypes) {
  const Document document = read_text("(F2.5\nS'x'\nNL99999999999999999999L\nt.");
  const auto items = *document.view().items();
  EXPECT_EQ(items[0].as_int().error().message, "[0]: expected an int, found float");
  EXPECT_FALSE(items[1].as_double());
  EXPECT_FALSE(items[1].as_bool());
  EXPECT_FALSE(items[2].as_string());
  EXPECT_EQ(items[3].as_int().error().message, "[3]: expected an int of 64 bits, found int");
  EXPECT_EQ(document.view().item(9).error().id, "pickle.out_of_range");
}

TEST(View, ReadsNumpyScalarsAsNumbers) {
  const Document document = read_text(
      "(cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'i4'\nI00\nI01\ntRC\x04\x07\x00\x00\x00tR"
      "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'f8'"
      "\nI00\nI01\ntRC\x08\x00\x00\x00\x00\x00\x00\x04\x40tR"
      "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'b1'\nI00\nI01\ntRC\x01\x01tRl."s);
  const auto items = *document.view().items();
  EXPECT_EQ(*items[0].as_int(), 7);
  EXPECT_EQ(*items[1].as_double(), 2.5);
  EXPECT_EQ(*items[2].as_bool(), true);
  EXPECT_FALSE(items[1].as_int());
}

TEST(View, ReadsListsOfNumbersAndStringsAsArrays) {
  const Document document = read_text("(((I1\nF2.5\nt(I1\nI2\nl(S'a'\nS'b'\nl(I1\nS'b'\nltl.");
  const View lists = *document.view().item(0);
  EXPECT_THAT(*lists.item(0)->doubles(), ElementsAre(1.0, 2.5));
  EXPECT_THAT(*lists.item(1)->int64s(), ElementsAre(1, 2));
  EXPECT_THAT(*lists.item(2)->strings(), ElementsAre("a", "b"));
  EXPECT_EQ(lists.item(3)->doubles().error().message, "[0][3][1]: expected a number, found str");
}

TEST(View, ReadsSlicesAndRanges) {
  const Document document =
      read_text("(c__builtin__\nslice\n(I2\nNI-1\ntRc__builtin__\nxrange\n(I0\nI10\nI2\ntRl.");
  const Slice slice = *document.view().item(0)->as_slice();
  EXPECT_EQ(slice.start, 2);
  EXPECT_EQ(slice.stop, std::nullopt);
  EXPECT_EQ(slice.step, -1);
  EXPECT_EQ(document.view().item(1)->as_range()->stop, 10);
  EXPECT_FALSE(document.view().item(1)->as_slice());
}

TEST(View, ListsTheEntriesOfADict) {
  const Document document = read_text("(S'a'\nI1\nI2\nI3\nd.");
  const auto entries = *document.view().entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(*entries[0].first.as_string(), "a");
  EXPECT_EQ(*entries[1].second.as_int(), 3);
  EXPECT_EQ(entries[0].second.path(), "['a']");
  EXPECT_EQ(entries[1].second.path(), "[2]");
}

std::string csr(const std::string& indptr, const std::string& indices) {
  return "cscipy.sparse.csr\ncsr_matrix\n)\x81}(S'_shape'\n(I2\nI3\ntS'indptr'\n(" + indptr +
         "lS'indices'\n(" + indices + "lS'data'\n(F1\nF2\nlub.";
}

TEST(View, ReadsSparseRows) {
  const Document document = read_text(csr("I0\nI1\nI2\n", "I2\nI0\n"));
  EXPECT_TRUE(document.view().is_sparse());
  const Csr rows = *document.view().sparse();
  EXPECT_EQ(rows.columns, 3);
  EXPECT_THAT(rows.offsets, ElementsAre(0, 1, 2));
  EXPECT_THAT(rows.indices, ElementsAre(2, 0));
  EXPECT_THAT(rows.values, ElementsAre(1.0, 2.0));
}

TEST(View, RefusesSparseRowsThatDoNotFit) {
  for (const std::string& pickle :
       {csr("I0\nI1\nI2\n", "I3\nI0\n"), csr("I0\nI1\nI2\n", "I-1\nI0\n"), csr("I0\nI2\nI1\n", "I1\nI0\n"),
        csr("I0\nI2\n", "I1\nI0\n"), csr("I0\nI1\nI9\n", "I1\nI0\n"), csr("I0\nI1\nI2\n", "I1\n")}) {
    const Document document = read_text(pickle);
    ASSERT_FALSE(document.view().sparse());
    EXPECT_EQ(document.view().sparse().error().id, "pickle.bad_sparse");
  }
}

TEST(View, QuotesNamesThatCouldHarmATerminal) {
  const Document document = read_text("ca\x1b[31m\nB\n)\x81.");
  EXPECT_THAT(document.view().attr("x").error().message, testing::Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace wherry::pickle
