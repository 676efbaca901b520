#include "text/yaml.h"

#include <cctype>
#include <charconv>
#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace wherry::text {
namespace {

using base::cat;
using base::Code;
using base::fail;

std::string place(const YAML::Mark& mark) {
  return cat("line ", mark.line + 1, ", column ", mark.column + 1);
}

// A plain scalar by the core schema (YAML 1.2 section 10.3.2), plus the 1.1 booleans kubectl never writes
// but does quote: those stay strings here, as in sigs.k8s.io/yaml's output.
Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* first = text.data() + (text[0] == '+' ? 1 : 0);
  const char* last = text.data() + text.size();
  std::int64_t integer = 0;
  if (auto [end, failure] = std::from_chars(first, last, integer); failure == std::errc{} && end == last)
    return integer;
  double number = 0;
  const bool numeric_start =
      first < last && (std::isdigit(static_cast<unsigned char>(*first)) || *first == '-' || *first == '.');
  if (numeric_start)
    if (auto [end, failure] = std::from_chars(first, last, number); failure == std::errc{} && end == last)
      return number;
  return text;
}

class Converter {
 public:
  Converter(std::string_view what, const YamlLimits& limits) : what_(what), limits_(limits) {}

  base::Result<Json> convert(const YAML::Node& node, std::size_t depth) {
    if (depth > limits_.depth || ++nodes_ > limits_.nodes)
      return fail(Code::kLimit, "text.yaml_limit",
                  cat(what_, ": YAML too deep or too large at ", place(node.Mark())),
                  "the document is larger than any sensible one of its kind");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return node.Tag() == "!" ? Json(node.Scalar()) : plain_scalar(node.Scalar());
      case YAML::NodeType::Sequence:
        return sequence(node, depth);
      case YAML::NodeType::Map:
        return map(node, depth);
      default:
        return Json(nullptr);
    }
  }

 private:
  base::Result<Json> sequence(const YAML::Node& node, std::size_t depth) {
    Json list = Json::array();
    for (const YAML::Node& item : node) {
      TRY_ASSIGN(Json value, convert(item, depth + 1));
      list.push_back(std::move(value));
    }
    return list;
  }

  base::Result<Json> map(const YAML::Node& node, std::size_t depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar())
        return fail(Code::kInvalidInput, "text.yaml_syntax",
                    cat(what_, ": key at ", place(entry.first.Mark()), " is not a string"), "use plain keys");
      TRY_ASSIGN(Json value, convert(entry.second, depth + 1));
      object[entry.first.Scalar()] = std::move(value);
    }
    return object;
  }

  std::string_view what_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
};

bool needs_quotes(const std::string& text) {
  if (!plain_scalar(text).is_string()) return true;
  constexpr std::string_view kYaml11[] = {"y",   "Y",   "yes",  "Yes",  "YES",  "n",  "N",
                                          "no",  "No",  "NO",   "on",   "On",   "ON", "off",
                                          "Off", "OFF", ".nan", ".inf", "-.inf"};
  for (std::string_view word : kYaml11)
    if (text == word) return true;
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@` ";
  if (kIndicators.find(text[0]) != std::string::npos &&
      !(text[0] == '-' && text.size() > 1 && text[1] != ' '))
    return true;
  if (text[0] == '.' || text[0] == '=' || text[0] == '~' || text[0] == '<' ||
      std::isdigit(static_cast<unsigned char>(text[0])))
    return text.find_first_not_of("0123456789.eE+-_xXoObBabcdfABCDF:") == std::string::npos ||
           text.size() < 2;
  if (text.back() == ' ' || text.back() == ':' || text.find(": ") != std::string::npos ||
      text.find(" #") != std::string::npos)
    return true;
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

std::string scalar(const Json& value) {
  if (const auto* text = value.get_ptr<const std::string*>()) {
    if (!needs_quotes(*text)) return *text;
    return write_json(value);
  }
  return write_json(value);
}

bool is_leaf(const Json& value) {
  return !value.is_structured() || value.empty();
}

std::string leaf(const Json& value) {
  if (value.is_object() && value.empty()) return "{}";
  if (value.is_array() && value.empty()) return "[]";
  return scalar(value);
}

// "|"-blocks keep multi-line scripts readable; only text they represent exactly qualifies.
bool is_block_text(const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->empty() || text->find('\n') == std::string::npos || text->front() == ' ' ||
      text->front() == '\n' || !base::is_valid_utf8(*text))
    return false;
  if (text->size() > 1 && text->back() == '\n' && (*text)[text->size() - 2] == '\n') return false;
  for (char c : *text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f) return false;
  return true;
}

void write(std::string& out, const Json& value, std::size_t indent);

void write_block_text(std::string& out, const std::string& text, std::size_t indent) {
  out += text.back() == '\n' ? "|\n" : "|-\n";
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  for (std::string_view line : base::split(rest, '\n')) {
    if (!line.empty()) out.append(indent, ' ').append(line);
    out += '\n';
  }
}

void write_member(std::string& out, const Json& value, std::size_t indent, bool in_list) {
  if (is_block_text(value)) {
    out += in_list ? "" : " ";
    write_block_text(out, *value.get_ptr<const std::string*>(), indent + 2);
  } else if (is_leaf(value)) {
    out += in_list ? "" : " ";
    out += leaf(value);
    out += '\n';
  } else if (in_list) {
    std::string nested;
    write(nested, value, indent + 2);
    out += std::string_view(nested).substr(indent + 2);
  } else {
    out += '\n';
    write(out, value, value.is_array() ? indent : indent + 2);
  }
}

void write(std::string& out, const Json& value, std::size_t indent) {
  if (is_leaf(value)) {
    out.append(indent, ' ');
    out += leaf(value);
    out += '\n';
    return;
  }
  for (const auto& [key, member] : value.items()) {
    out.append(indent, ' ');
    if (value.is_object())
      out += scalar(Json(key)) + ":";
    else
      out += "- ";
    write_member(out, member, indent, value.is_array());
  }
}

}  // namespace

base::Result<Json> parse_yaml(std::string_view document, std::string_view what, const YamlLimits& limits) {
  if (document.size() > limits.bytes)
    return fail(Code::kLimit, "text.yaml_limit",
                cat(what, ": more than ", base::human_size(limits.bytes), " of YAML"),
                "the document is larger than any sensible one of its kind");
  try {
    const YAML::Node root = YAML::Load(std::string(document));
    return Converter(what, limits).convert(root, 0);
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalidInput, "text.yaml_syntax",
                cat(what, ": not YAML at ", place(error.mark), ": ", error.msg),
                "check indentation and quotes at that line");
  }
}

std::string write_yaml(const Json& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

}  // namespace wherry::text
