#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "base/text.h"
#include "import/pickle/document.h"

namespace wherry::pickle {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// Python's repr, short: enough to tell values apart.
std::string show(const Object& object);

std::string show_all(std::span<const Object* const> items) {
  std::string text;
  for (const Object* item : items) text += base::cat(text.empty() ? "" : ", ", show(*item));
  return text;
}

std::string show_entries(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& entry : entries)
    text += base::cat(text.empty() ? "" : ", ", show(*entry.key), ": ", show(*entry.value));
  return text;
}

std::string show_call(const Call& call) {
  std::string text = base::cat(show(*call.callee), "(", show_all(call.args), ")");
  if (call.kwargs != nullptr) text += base::cat("**", show(*call.kwargs));
  for (const Object* state : call.states) text += base::cat(" state ", show(*state));
  if (!call.items.empty()) text += base::cat(" items ", show_all(call.items));
  if (!call.entries.empty()) text += base::cat(" entries ", show_entries(call.entries));
  return text;
}

std::string show(const Object& object) {
  switch (object.kind()) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return object.boolean() ? "True" : "False";
    case Kind::kInt:
    case Kind::kBigInt:
      return decimal(object);
    case Kind::kFloat:
      return base::cat("float ", object.real());
    case Kind::kComplex:
      return base::cat("complex ", object.real(), " ", object.imaginary());
    case Kind::kStr:
      return base::cat("'", object.text(), "'");
    case Kind::kBytes:
      return base::cat("b'", object.text(), "'");
    case Kind::kByteArray:
      return base::cat("bytearray'", object.text(), "'");
    case Kind::kList:
      return base::cat("[", show_all(object.items()), "]");
    case Kind::kTuple:
      return base::cat("(", show_all(object.items()), ")");
    case Kind::kSet:
      return base::cat("set{", show_all(object.items()), "}");
    case Kind::kFrozenSet:
      return base::cat("frozenset{", show_all(object.items()), "}");
    case Kind::kDict:
      return base::cat("{", show_entries(object.mapping().entries), "}");
    case Kind::kGlobal:
      return object.global().qualified();
    case Kind::kCall:
      return show_call(object.call());
    default:
      return std::string(name(object.kind()));
  }
}

std::string read_and_show(const std::string& bytes) {
  const auto document = read_string(bytes);
  return document ? show(document->root()) : base::cat("error ", document.error().id);
}

struct OpcodeCase {
  const char* name;
  std::string pickle;
  std::string value;
};

// pickletools.opcodes, in its order.
const std::vector<OpcodeCase>& opcode_cases() {
  static const std::vector<OpcodeCase> kCases = {
      {"INT", "I-12\n.", "-12"},
      {"INT", "I01\n.", "True"},
      {"INT", "I00\n.", "False"},
      {"INT", "I0x1F\n.", "31"},
      {"BININT", "J\xfe\xff\xff\xff."s, "-2"},
      {"BININT1", "K\xff."s, "255"},
      {"BININT2", "M\x01\x02."s, "513"},
      {"LONG", "L-36893488147419103232L\n.", "-36893488147419103232"},
      {"LONG1", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00."s, "9223372036854775808"},
      {"LONG1", "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s, "-9223372036854775808"},
      {"LONG1", "\x8a\x01\xff."s, "-1"},
      {"LONG4", "\x8b\x02\x00\x00\x00\x00\x01."s, "256"},
      {"STRING", "S'it\\'s \\x41\\102\\n'\n.", "'it's AB\n'"},
      {"BINSTRING", "T\x02\x00\x00\x00h\xe9."s, "'h\xc3\xa9'"},
      {"SHORT_BINSTRING", "U\x02hi.", "'hi'"},
      {"BINBYTES", "B\x02\x00\x00\x00hi."s, "b'hi'"},
      {"SHORT_BINBYTES", "C\x02hi.", "b'hi'"},
      {"BINBYTES8", "\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi."s, "b'hi'"},
      {"BYTEARRAY8", "\x96\x02\x00\x00\x00\x00\x00\x00\x00hi."s, "bytearray'hi'"},
      {"NEXT_BUFFER", "\x97.", "error pickle.out_of_band"},
      {"READONLY_BUFFER", "C\x02hi\x98.", "error pickle.out_of_band"},
      {"NONE", "N.", "None"},
      {"NEWTRUE", "\x88.", "True"},
      {"NEWFALSE", "\x89.", "False"},
      {"UNICODE", "Vh\\u00e9\xe9\\U0001f98a\n.", "'h\xc3\xa9\xc3\xa9\xf0\x9f\xa6\x8a'"},
      {"SHORT_BINUNICODE", "\x8c\x02hi.", "'hi'"},
      {"BINUNICODE", "X\x03\x00\x00\x00\xed\xa0\x80."s, "'\xed\xa0\x80'"},
      {"BINUNICODE8", "\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi."s, "'hi'"},
      {"FLOAT", "F-1.5e3\n.", "float -1500"},
      {"BINFLOAT", "G\x3f\xf8\x00\x00\x00\x00\x00\x00."s, "float 1.5"},
      {"EMPTY_LIST", "].", "[]"},
      {"APPEND", "]K\x01"s + "a.", "[1]"},
      {"APPENDS", "](K\x01K\x02"s + "e.", "[1, 2]"},
      {"LIST", "(K\x01l.", "[1]"},
      {"EMPTY_TUPLE", ").", "()"},
      {"TUPLE", "(K\x01K\x02t.", "(1, 2)"},
      {"TUPLE1", "K\x01\x85.", "(1)"},
      {"TUPLE2", "K\x01K\x02\x86.", "(1, 2)"},
      {"TUPLE3", "K\x01K\x02K\x03\x87.", "(1, 2, 3)"},
      {"EMPTY_DICT", "}.", "{}"},
      {"DICT", "(K\x01K\x02"s + "d.", "{1: 2}"},
      {"SETITEM", "}K\x01K\x02s.", "{1: 2}"},
      {"SETITEMS", "}(K\x01K\x02K\x03K\x04u.", "{1: 2, 3: 4}"},
      {"EMPTY_SET", "\x8f.", "set{}"},
      {"ADDITEMS", "\x8f(K\x01K\x02K\x01\x90.", "set{1, 2}"},
      {"FROZENSET", "(K\x01\x91.", "frozenset{1}"},
      {"POP",
       "K\x01K\x02"
       "0.",
       "1"},
      {"POP", "K\x01(0.", "1"},
      {"DUP", "]2\x86.", "([], [])"},
      {"MARK", "((K\x01tt.", "((1))"},
      {"POP_MARK",
       "K\x01(K\x02K\x03"
       "1.",
       "1"},
      {"GET", "]p7\n0g7\n.", "[]"},
      {"BINGET",
       "]q\x07"
       "0h\x07.",
       "[]"},
      {"LONG_BINGET",
       "]r\x07\x00\x00\x01"
       "0j\x07\x00\x00\x01."s,
       "[]"},
      {"PUT", "]p0\ng0\na.", "recursive"},
      {"BINPUT", "K\x01q\x00K\x02q\x00h\x00."s, "2"},
      {"LONG_BINPUT",
       "K\x01r\xff\xff\xff\xff"
       "0j\xff\xff\xff\xff."s,
       "1"},
      {"MEMOIZE", "K\x01\x94K\x02\x94h\x00h\x01\x86."s, "(1, 2)"},
      {"EXT1", "\x82\x01.", "error pickle.extension_code"},
      {"EXT2", "\x83\x01\x00."s, "error pickle.extension_code"},
      {"EXT4", "\x84\x01\x00\x00\x00."s, "error pickle.extension_code"},
      {"GLOBAL", "cos\nsystem\n.", "os.system"},
      {"STACK_GLOBAL", "\x8c\x02os\x8c\x06system\x93.", "os.system"},
      {"REDUCE", "cos\nsystem\nK\x01\x85R.", "os.system(1)"},
      {"BUILD",
       "ca\nB\n)\x81K\x07"
       "b.",
       "a.B() state 7"},
      {"INST", "(K\x01ia\nB\n.", "a.B(1)"},
      {"OBJ", "(ca\nB\nK\x01o.", "a.B(1)"},
      {"NEWOBJ", "ca\nB\nK\x01\x85\x81.", "a.B(1)"},
      {"NEWOBJ_EX", "ca\nB\n)}K\x01K\x02s\x92.", "a.B()**{1: 2}"},
      {"PROTO", "\x80\x05N.", "None"},
      {"STOP", "N.", "None"},
      {"FRAME", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N."s, "None"},
      {"PERSID", "P1\n.", "error pickle.persistent_id"},
      {"BINPERSID", "K\x01Q.", "error pickle.persistent_id"},
  };
  return kCases;
}

TEST(Opcodes, EachGivesItsValue) {
  for (const OpcodeCase& row : opcode_cases()) {
    SCOPED_TRACE(row.name);
    if (row.value == "recursive") continue;
    EXPECT_EQ(read_and_show(row.pickle), row.value);
  }
}

TEST(Opcodes, PersistentIdsAreCallsWhereTheFormatHasThem) {
  const Limits limits{.persistent_ids = true};
  for (const std::string_view pickle : {"P7\n."sv, "S'7'\nQ."sv}) {
    auto document = read_string(std::string(pickle), limits);
    ASSERT_TRUE(document) << base::describe(document.error());
    const Object& root = document->root();
    ASSERT_EQ(root.kind(), Kind::kCall);
    EXPECT_EQ(root.call().kind, CallKind::kPersistent);
    EXPECT_EQ(root.call().type(), nullptr);
    EXPECT_EQ(show(root), "None('7')");
  }
  EXPECT_FALSE(read_string("Q.", limits));
  EXPECT_FALSE(read_string("K\x01Q}b.", limits));
}

TEST(Opcodes, AllSixtyEightAreTested) {
  std::set<std::string> names;
  for (const OpcodeCase& row : opcode_cases()) names.insert(row.name);
  EXPECT_EQ(names.size(), 68U);
}

TEST(Opcodes, AnyOtherByteIsRefused) {
  const std::string known =
      "IJKML\x8a\x8bSTUBC\x8e\x96\x97\x98N\x88\x89V\x8cX\x8d"
      "FG]ael)t\x85\x86\x87}dsu\x8f\x90\x91"
      "02(1"
      "ghjpqr\x94\x82\x83\x84"
      "c\x93Rbio\x81\x92\x80.\x95PQ";
  ASSERT_EQ(known.size(), 68U);
  for (int byte = 0; byte < 256; ++byte) {
    if (known.find(static_cast<char>(byte)) != std::string::npos) continue;
    const auto document = read_string(base::cat("N0", std::string(1, static_cast<char>(byte)), "N."));
    ASSERT_FALSE(document) << byte;
    EXPECT_EQ(document.error().id, "pickle.bad_opcode") << byte;
  }
}

TEST(Opcodes, AListThatHoldsItselfIsOneObject) {
  const auto document = read_string("]p0\ng0\na.");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().items()[0], &document->root());
}

TEST(Opcodes, SharedValuesStayShared) {
  const auto document = read_string("]q\x00h\x00\x86."s);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().items()[0], document->root().items()[1]);
}

struct RefusedCase {
  const char* what;
  std::string pickle;
  const char* id;
};

TEST(Opcodes, RefuseWhatTheyCannotWorkOn) {
  const RefusedCase kCases[] = {
      {"an empty stack", ".", "pickle.stack_underflow"},
      {"values below the mark", "K\x01(\x85.", "pickle.stack_underflow"},
      {"no mark", "K\x01t.", "pickle.no_mark"},
      {"an unknown memo entry", "h\x05.", "pickle.bad_memo"},
      {"a memo entry past the text", "\x80\x02g99999999999999999999999\n.", "pickle.bad_number"},
      {"a negative memo index", "Np-1\n.", "pickle.bad_number"},
      {"a key without value", "}(K\x01u.", "pickle.bad_operand"},
      {"a list as key", "}]K\x01s.", "pickle.bad_operand"},
      {"an int as callee", "K\x01)R.", "pickle.bad_operand"},
      {"arguments that are no tuple", "ca\nB\n]R.", "pickle.bad_operand"},
      {"keyword arguments that are no dict", "ca\nB\n))\x92.", "pickle.bad_operand"},
      {"names that are no str", "K\x01K\x02\x93.", "pickle.bad_operand"},
      {"state for a list", "]}b.", "pickle.bad_operand"},
      {"append to a tuple",
       ")K\x01"
       "a.",
       "pickle.bad_operand"},
      {"a set item of a list", "]K\x01K\x02s.", "pickle.bad_operand"},
      {"text that is no int", "I1x\n.", "pickle.bad_number"},
      {"an int with a leading zero", "I012\n.", "pickle.bad_number"},
      {"text that is no float", "F1,5\n.", "pickle.bad_number"},
      {"a string without quotes", "Sabc\n.", "pickle.bad_string"},
      {"invalid UTF-8", "X\x01\x00\x00\x00\xff."s, "pickle.bad_string"},
      {"a character past U+10FFFF", "V\\U00110000\n.", "pickle.bad_string"},
      {"protocol 6", "\x80\x06N.", "pickle.bad_protocol"},
      {"a frame longer than the file", "\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N."s, "pickle.bad_frame"},
      {"bytes longer than the file", "B\xff\xff\xff\x7fhi."s, "pickle.truncated"},
      {"no STOP", "N", "pickle.truncated"},
      {"nothing", "", "pickle.truncated"},
  };
  for (const RefusedCase& row : kCases) {
    const auto document = read_string(row.pickle);
    ASSERT_FALSE(document) << row.what;
    EXPECT_EQ(document.error().id, row.id) << row.what << ": " << base::describe(document.error());
  }
}

TEST(Opcodes, ErrorsNameOpcodeAndOffset) {
  const auto document = read_string("K\x01K\x02h\x05.");
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error().message, testing::HasSubstr("BINGET at offset 4"));
}

TEST(Keys, ThatAreEqualInPythonAreOneEntry) {
  EXPECT_EQ(read_and_show("}(K\x01K\x0a\x88K\x0bG\x3f\xf0\x00\x00\x00\x00\x00\x00K\x0cu."s), "{1: 12}");
  EXPECT_EQ(read_and_show("}(\x8c\x01"
                          "aK\x01\x8c\x01"
                          "bK\x02\x8c\x01"
                          "aK\x03u."s),
            "{'a': 3, 'b': 2}");
  EXPECT_EQ(read_and_show("}(\x8c\x01"
                          "aK\x01"
                          "C\x01"
                          "aK\x02u."s),
            "{'a': 1, b'a': 2}");
  EXPECT_EQ(read_and_show("}(K\x01K\x02\x86K\x01K\x01K\x02\x86K\x02u."), "{(1, 2): 2}");
}

TEST(Keys, AreUnifiedInLargeDictsToo) {
  std::string pickle = "}(";
  for (int i = 0; i < 1000; ++i) pickle += base::cat("I", i % 700, "\nI", i, "\n");
  const auto document = read_string(pickle + "u.");
  ASSERT_TRUE(document);
  const auto& entries = document->root().mapping().entries;
  ASSERT_EQ(entries.size(), 700U);
  EXPECT_EQ(entries[0].value->integer(), 700);
  EXPECT_EQ(entries[699].value->integer(), 699);
}

TEST(KnownCalls, BecomeTheValuesTheyMake) {
  EXPECT_EQ(read_and_show("c__builtin__\nset\n](K\x01K\x01K\x02"
                          "e\x85R."s),
            "set{1, 2}");
  EXPECT_EQ(read_and_show("cbuiltins\nfrozenset\n]K\x01"
                          "a\x85R."s),
            "frozenset{1}");
  EXPECT_EQ(read_and_show("c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00latin1\x86R."s),
            "b'\xe9'");
  EXPECT_EQ(read_and_show("cbuiltins\nbytearray\nC\x02hi\x85R."s), "bytearray'hi'");
  EXPECT_EQ(read_and_show("cbuiltins\ncomplex\nF1\nF-2\n\x86R."s), "complex 1 -2");
  EXPECT_EQ(read_and_show("ccollections\nOrderedDict\n)RK\x01K\x02s."s), "{1: 2}");
  EXPECT_EQ(read_and_show("ccollections\nOrderedDict\n]](K\x01K\x02"
                          "ea\x85R."s),
            "{1: 2}");
}

TEST(KnownCalls, WithUnusualArgumentsStayRecords) {
  EXPECT_EQ(read_and_show("cbuiltins\nset\nK\x01\x85R."s), "builtins.set(1)");
  EXPECT_EQ(read_and_show("c_codecs\nencode\nX\x01\x00\x00\x00"
                          "aX\x05\x00\x00\x00rot13\x86R."s),
            "_codecs.encode('a', 'rot13')");
}

TEST(Globals, HaveTheirPresentNamesWhereTheyWereRenamed) {
  EXPECT_EQ(read_and_show("c__builtin__\nxrange\n."), "builtins.range");
  EXPECT_EQ(read_and_show("\x80\x04"
                          "c__builtin__\nxrange\n."),
            "__builtin__.xrange");
  EXPECT_EQ(read_and_show("cnumpy.core.multiarray\nscalar\n."), "numpy._core.multiarray.scalar");
  EXPECT_EQ(read_and_show("cscipy.sparse.csr\ncsr_matrix\n."), "scipy.sparse._csr.csr_matrix");
  EXPECT_EQ(read_and_show("cscipy.sparse.linalg\nx\n."), "scipy.sparse.linalg.x");
}

TEST(Manifest, CountsUsesAndTellsCalledFromNamed) {
  const auto document = read_string("ca\nB\n0ca\nB\n)R0cc\nD\n.");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->imports().size(), 2U);
  EXPECT_EQ(document->imports()[0].qualified(), "a.B");
  EXPECT_EQ(document->imports()[0].count, 2U);
  EXPECT_EQ(document->imports()[0].offset, 0U);
  EXPECT_TRUE(document->imports()[0].called);
  EXPECT_FALSE(document->imports()[1].called);
}

TEST(Manifest, SurvivesMovingTheDocument) {
  auto first = read_string("\x8c\x02os\x8c\x06system\x93.");
  ASSERT_TRUE(first);
  const Document moved = *std::move(first);
  EXPECT_EQ(moved.imports()[0].qualified(), "os.system");
  EXPECT_EQ(moved.root().global().qualified(), "os.system");
}

TEST(Document, CountsTheBytesAfterStop) {
  EXPECT_EQ(read_string("N.abc")->trailing_bytes(), 3U);
}

TEST(Document, KnowsItsProtocol) {
  EXPECT_EQ(read_string("\x80\x04N.")->protocol(), 4);
  EXPECT_EQ(read_string("N.")->protocol(), 0);
}

}  // namespace
}  // namespace wherry::pickle
