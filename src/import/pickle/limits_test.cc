#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <string>

#include "base/text.h"
#include "import/pickle/document.h"
#include "import/pickle/error_ids.h"

namespace wherry::pickle {
namespace {

using namespace std::string_literals;

std::string repeat(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

struct LimitCase {
  const char* id;
  std::function<void(Limits&)> set;
  std::string fits;
  std::string too_much;
};

// joblib's wrapper as protocol 0 writes it, for an object array: a nested pickle follows.
std::string object_array(const std::string& nested) {
  return "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(S'shape'\n(I1\ntS'order'\nS'C'\nS'dtype'\n"
         "cnumpy\ndtype\n(S'O8'\nI00\nI01\ntRub"s +
         nested + ".";
}

std::vector<LimitCase> limit_cases() {
  return {
      {"pickle.limit_file", [](Limits& l) { l.file_bytes = 3; }, "K\x01.",
       "K\x01"
       "0N."},
      {"pickle.limit_stack", [](Limits& l) { l.stack_depth = 3; },
       "NNN0"
       "0.",
       "NNNN000."},
      {"pickle.limit_marks", [](Limits& l) { l.mark_depth = 2; }, "((tt.", "(((ttt."},
      {"pickle.limit_memo", [](Limits& l) { l.memo_entries = 2; }, "Nq\x00q\x01q\x01."s,
       "Nq\x00q\x01q\x02."s},
      {"pickle.limit_objects", [](Limits& l) { l.objects = 4; }, "]]]].", "]]]]]."},
      {"pickle.limit_depth", [](Limits& l) { l.nesting = 3; }, "N\x85\x85\x85.", "N\x85\x85\x85\x85."},
      {"pickle.limit_string", [](Limits& l) { l.string_bytes = 2; }, "C\x02hi.", "C\x03him."},
      {"pickle.limit_string", [](Limits& l) { l.string_bytes = 2; }, "Vhi\n.", "Vhim\n."},
      {"pickle.limit_big_int", [](Limits& l) { l.big_int_bytes = 2; }, "\x8a\x02\x01\x01.",
       "\x8a\x03\x01\x01\x01."},
      {"pickle.limit_big_int", [](Limits& l) { l.big_int_bytes = 2; }, "L12345L\n.", "L1234567890L\n."},
      {"pickle.limit_imports", [](Limits& l) { l.imports = 1; }, "ca\nb\n0ca\nb\n.", "ca\nb\n0ca\nc\n."},
      {"pickle.limit_memory",
       [](Limits& l) {
         l.memory_free_bytes = 20'000;
         l.memory_ratio = 1;
       },
       repeat("N", 1000) + ".", repeat("]", 1000) + "."},
      {"pickle.limit_nested", [](Limits& l) { l.nested_pickles = 0; }, "N.", object_array("N.")},
      {"pickle.limit_array", [](Limits& l) { l.array_elements = 100; },
       "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'S2'\nI00\nI01\ntRC\x02hitR."s,
       "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01"
       "btR(I1\n(I1000\ntcnumpy\ndtype\n"
       "(S'i1'\nI00\nI01\ntRI00\nC\x00tb."s},
      {"pickle.limit_array", [](Limits& l) { l.array_dimensions = 1; }, "N.",
       "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01"
       "btR(I1\n(I1\nI1\ntcnumpy\ndtype\n"
       "(S'i1'\nI00\nI01\ntRI00\nC\x01xtb."s},
  };
}

TEST(Limits, EachHasItsErrorAndLetsTheRestPass) {
  for (const LimitCase& row : limit_cases()) {
    SCOPED_TRACE(row.id);
    Limits limits;
    row.set(limits);
    const auto fits = read_string(row.fits, limits);
    EXPECT_TRUE(fits) << base::describe(fits.error());
    const auto refused = read_string(row.too_much, limits);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().id, row.id) << base::describe(refused.error());
    EXPECT_EQ(refused.error().code, base::Code::kLimit);
    EXPECT_FALSE(refused.error().hint.empty());
  }
}

TEST(Limits, ANestedPickleIsReadByDefault) {
  const auto document = read_string(object_array("K\x07."));
  ASSERT_TRUE(document) << base::describe(document.error());
  EXPECT_EQ(document->root().integer(), 7);
}

TEST(Limits, JoblibAsScikitLearnOnceCarriedItIsTheSame) {
  const auto document = read_string("csklearn.externals." + object_array("K\x07.").substr(1));
  ASSERT_TRUE(document) << base::describe(document.error());
  EXPECT_TRUE(document->has_joblib_arrays());
  EXPECT_EQ(document->root().integer(), 7);
}

TEST(Limits, EveryIdHasAnExplanation) {
  for (const LimitCase& row : limit_cases()) {
    bool found = false;
    for (const base::ErrorId& id : kErrorIds) found = found || id.id == row.id;
    EXPECT_TRUE(found) << row.id;
  }
}

// Files whose honest reading takes time or memory that grows faster than they do.
TEST(LinearTime, HoldsForFilesMadeToBreakIt) {
  const std::size_t n = 200'000;
  const std::string key(4000, 'k');
  const std::string kTwoLongKeys = "}(\x8d\xa0\x0f\x00\x00\x00\x00\x00\x00"s + key +
                                   "q\x00N\x8d\xa0\x0f\x00\x00\x00\x00\x00\x00"s + key + "q\x01Nu0"s;
  const std::pair<const char*, std::string> kCases[] = {
      {"PUT of growing indices",
       [&] {
         std::string text = "N";
         for (std::size_t i = 0; i < n; ++i) text += base::cat("p", i * 7919, "\n");
         return text + ".";
       }()},
      {"state given again and again", "ca\nb\n)\x81}p0\n0" + repeat("g0\nb", n) + "."},
      {"one list copied into sets",
       "](" + repeat("K\x01", n) + "ep0\n0" + repeat("cbuiltins\nset\ng0\n\x85R0", n / 10) + "N."},
      {"one list copied into arrays",
       "](" + repeat("N", n) + "ep0\n0cnumpy\ndtype\n(S'O8'\nI00\nI01\ntRp1\n0" +
           repeat(base::cat("cnumpy.core.multiarray\n_reconstruct\n)R(I1\n(I", n, "\ntg1\nI00\ng0\ntb0"),
                  n / 10) +
           "N."},
      {"one text as array data",
       "V" + std::string(n, '\xe9') + "\np0\n0cnumpy\ndtype\n(S'u1'\nI00\nI01\ntRp1\n0" +
           repeat(base::cat("cnumpy.core.multiarray\n_reconstruct\n)R(I1\n(I", n, "\ntg1\nI00\ng0\ntb0"),
                  n / 10) +
           "N."},
      {"one dict of fields for many dtypes",
       "(cnumpy\ndtype\n(S'u1'\nI00\nI01\ntRp1\nI0\ntp2\n0(" +
           [&] {
             std::string text;
             for (std::size_t i = 0; i < n / 10; ++i) text += base::cat("Vf", i, "\ng2\n");
             return text;
           }() +
           "dp3\n0(" +
           [&] {
             std::string text;
             for (std::size_t i = 0; i < n / 10; ++i) text += base::cat("Vf", i, "\n");
             return text;
           }() +
           "tp4\n0" +
           repeat("cnumpy\ndtype\n(S'V1'\nI00\nI01\ntR(I3\nS'|'\nNg4\ng3\nI1\nI1\nI0\ntb0", n / 100) + "N."},
      {"DUP", "]" + repeat("2", n) + repeat("0", n) + "."},
      {"dicts of two long equal keys", kTwoLongKeys + repeat("}(h\x00Nh\x01Nu0"s, n) + "N."},
      {"marks", repeat("(", n) + repeat("1", n) + "N."},
      {"names in a line", repeat("ca\nb\n0", n) + "N."},
  };
  for (const auto& [what, pickle] : kCases) {
    const auto start = std::chrono::steady_clock::now();
    const auto document = read_string(pickle);
    const auto spent = std::chrono::steady_clock::now() - start;
    EXPECT_LT(spent, std::chrono::seconds(30)) << what;
    EXPECT_TRUE(document || document.error().code == base::Code::kLimit)
        << what << base::describe(document.error());
  }
}

TEST(Nesting, OfAMillionListsIsRefusedAndFreedWithoutRecursion) {
  Limits limits;
  limits.nesting = 60'000;
  const auto document = read_string(repeat("]", 50'000) + repeat("a", 49'999) + ".", limits);
  ASSERT_TRUE(document) << base::describe(document.error());
  EXPECT_EQ(document->root().depth(), 50'000U);
  EXPECT_EQ(read_string(repeat("]", 1'000'000) + repeat("a", 999'999) + ".").error().id,
            "pickle.limit_depth");
}

TEST(Nesting, IsTheLongestWayAndMindsCycles) {
  EXPECT_EQ(read_string("N.")->root().depth(), 0U);
  EXPECT_EQ(read_string("].")->root().depth(), 1U);
  EXPECT_EQ(read_string("]q\x00h\x00"s + "a.")->root().depth(), 1U);
  EXPECT_EQ(read_string("]N\x85\x85"
                        "a.")
                ->root()
                .depth(),
            3U);
}

}  // namespace
}  // namespace wherry::pickle
