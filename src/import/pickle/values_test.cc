// tests/fixtures/pickle/values against what Python's own stack machine says is in them (symbolic.py).
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

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

Json parsed(std::string_view json) {
  auto value = text::parse_json(json, "expected", {.bytes = 1 << 30, .depth = 1000});
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

}  // namespace
}  // namespace wherry::pickle
