#include "protocol/golden.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "protocol/json_cursor.h"
#include "protocol/json_writer.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kDepth = 8;

base::Error bad(std::string message, std::string hint) {
  return {base::Code::kInvalidInput, "protocol.bad_golden", std::move(message), std::move(hint), {}};
}

// Reads one line; every failure is an error of the cursor, to which the caller adds file and line.
class LineReader {
 public:
  LineReader(std::string_view line, std::size_t number, std::string& arena)
      : cursor_(line, {.depth = kDepth, .nan_tokens = true, .subject = "the line", .first_line = number},
                arena) {}

  base::Status header(Golden& golden) {
    if (read_header(golden)) cursor_.finish();
    return cursor_.status();
  }
  base::Status example(GoldenExample& example) {
    if (read_example(example)) cursor_.finish();
    return cursor_.status();
  }

 private:
  bool fail(std::string message) {
    return cursor_.fail(bad(std::move(message), "the format is described in docs/formats/bundle.md"));
  }
  bool expect(Kind kind, std::string_view what) {
    return cursor_.peek() == kind ||
           (cursor_.peek() == Kind::kBad ? cursor_.fail_syntax("a value is expected")
                                         : fail(base::cat(what)));
  }

  bool read_header(Golden& golden);
  bool read_example(GoldenExample& example);
  bool text(std::string_view member, std::string& out);
  bool columns(GoldenExample& example);
  bool row(GoldenExample& example);
  bool outputs(GoldenExample& example);
  bool output(GoldenOutput& output);
  bool value(GoldenValue& out);
  bool integer(std::string_view member, std::int64_t least, std::int64_t most, std::int64_t& out);
  bool sample(GoldenExample& example);
  bool tensors(std::string_view member, std::vector<GoldenTensor>& list);
  bool tensor(GoldenTensor& tensor);
  bool tensor_member(std::string_view key, GoldenTensor& tensor);

  JsonCursor cursor_;
};

bool LineReader::text(std::string_view member, std::string& out) {
  if (!expect(Kind::kString, base::cat("\"", member, "\" is not text"))) return false;
  std::string_view view;
  if (!cursor_.string(view)) return false;
  out = view;
  return true;
}

bool LineReader::read_header(Golden& golden) {
  bool has_version = false, has_source = false;
  std::string_view key;
  if (!expect(Kind::kObject, "the first line is not an object")) return false;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    if (key == "golden") {
      JsonNumber version;
      if (!expect(Kind::kNumber, "\"golden\" is not a number") || !cursor_.number(version)) return false;
      if (version.value != static_cast<double>(kFormatVersion))
        return fail(
            base::cat("format version ", version.value, " is unknown; this wherry reads ", kFormatVersion));
      has_version = true;
    } else if (key == "framework") {
      if (!text(key, golden.framework)) return false;
    } else if (key == "version") {
      if (!text(key, golden.framework_version)) return false;
    } else if (key == "source") {
      std::string source;
      if (!text(key, source)) return false;
      if (source != "framework" && source != "wherry")
        return fail(
            base::cat("\"source\" is ", base::quoted(source), ", neither \"framework\" nor \"wherry\""));
      golden.source = source == "framework" ? GoldenSource::kFramework : GoldenSource::kWherry;
      has_source = true;
    } else if (!cursor_.skip_value()) {
      return false;
    }
  }
  if (cursor_.failed()) return false;
  if (!has_version || !has_source)
    return fail(base::cat("\"", has_version ? "source" : "golden", "\" is missing"));
  return true;
}

bool LineReader::columns(GoldenExample& example) {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (!expect(Kind::kArray, "\"columns\" is neither a list nor null") || !cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!text("columns", example.columns.emplace_back())) return false;
  return !cursor_.failed();
}

bool LineReader::row(GoldenExample& example) {
  if (!expect(Kind::kArray, "\"row\" is not a list") || !cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    GoldenValue read;
    if (!value(read)) return false;
    tensor::CellValue& cell = example.row.emplace_back();
    if (const auto* boolean = std::get_if<bool>(&read)) cell = *boolean ? 1.0 : 0.0;
    if (const auto* integer = std::get_if<std::int64_t>(&read)) cell = static_cast<double>(*integer);
    if (const auto* number = std::get_if<double>(&read)) cell = *number;
    if (auto* string = std::get_if<std::string>(&read)) cell = std::move(*string);
  }
  return !cursor_.failed();
}

bool LineReader::value(GoldenValue& out) {
  switch (cursor_.peek()) {
    case Kind::kNull:
      out = std::monostate();
      return cursor_.null();
    case Kind::kTrue:
    case Kind::kFalse: {
      bool truth = false;
      if (!cursor_.boolean(truth)) return false;
      out = truth;
      return true;
    }
    case Kind::kNumber: {
      JsonNumber number;
      if (!cursor_.number(number)) return false;
      const bool fits = number.fits && number.magnitude <= std::uint64_t{1} << 63 &&
                        (number.is_negative || number.magnitude != std::uint64_t{1} << 63);
      if (fits)
        out = static_cast<std::int64_t>(number.is_negative ? std::uint64_t{0} - number.magnitude
                                                           : number.magnitude);
      else
        out = number.value;
      return true;
    }
    case Kind::kString: {
      std::string_view view;
      if (!cursor_.string(view)) return false;
      out = std::string(view);
      return true;
    }
    case Kind::kBad:
      return cursor_.fail_syntax("a value is expected");
    default:
      return fail("a list or object stands where a single value is expected");
  }
}

bool LineReader::output(GoldenOutput& output) {
  if (cursor_.peek() != Kind::kArray) return value(output.parts.emplace_back().emplace_back());
  output.depth = 1;
  if (!cursor_.begin_array()) return false;
  bool is_first = true;
  for (; cursor_.next_element(); is_first = false) {
    const bool is_list = cursor_.peek() == Kind::kArray;
    if (is_first && is_list) output.depth = 2;
    if (is_list != (output.depth == 2))
      return fail(base::cat("output ", base::quoted(output.name), " mixes values and lists"));
    if (!is_list) {
      if (is_first) output.parts.emplace_back();
      if (!value(output.parts.back().emplace_back())) return false;
      continue;
    }
    std::vector<GoldenValue>& part = output.parts.emplace_back();
    if (!cursor_.begin_array()) return false;
    while (cursor_.next_element())
      if (!value(part.emplace_back())) return false;
  }
  if (output.parts.empty()) output.parts.emplace_back();
  return !cursor_.failed();
}

bool LineReader::outputs(GoldenExample& example) {
  if (!expect(Kind::kObject, "\"outputs\" is not an object") || !cursor_.begin_object()) return false;
  std::string_view key;
  while (cursor_.next_member(key)) {
    for (const GoldenOutput& known : example.outputs)
      if (known.name == key) return fail(base::cat("output ", base::quoted(key), " is given twice"));
    GoldenOutput& read = example.outputs.emplace_back();
    read.name = key;
    if (!output(read)) return false;
  }
  return !cursor_.failed();
}

bool LineReader::integer(std::string_view member, std::int64_t least, std::int64_t most, std::int64_t& out) {
  GoldenValue read;
  if (!value(read)) return false;
  const auto* number = std::get_if<std::int64_t>(&read);
  if (number == nullptr || *number < least || *number > most)
    return fail(base::cat("\"", member, "\" is not a number from ", least, " to ", most));
  out = *number;
  return true;
}

bool LineReader::sample(GoldenExample& example) {
  constexpr std::int64_t kMostRows = 64, kMostLength = 4096;
  GoldenSample& read = example.sample.emplace();
  std::string_view key;
  if (!expect(Kind::kObject, "\"sample\" is not an object") || !cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    const bool done = key == "batch"    ? integer(key, 1, kMostRows, read.batch)
                      : key == "length" ? integer(key, 1, kMostLength, read.length)
                      : key == "seed"   ? integer(key, 0, INT32_MAX, read.seed)
                                        : cursor_.skip_value();
    if (!done) return false;
  }
  return !cursor_.failed();
}

bool LineReader::tensor_member(std::string_view key, GoldenTensor& tensor) {
  if (key == "step") return integer(key, 1, INT32_MAX, tensor.step);
  if (key == "largest") {
    GoldenValue read;
    if (!value(read)) return false;
    const auto* whole = std::get_if<std::int64_t>(&read);
    const auto* number = std::get_if<double>(&read);
    if (whole == nullptr && number == nullptr) return fail("\"largest\" is not a number");
    tensor.largest = whole != nullptr ? static_cast<double>(*whole) : *number;
    return true;
  }
  if (key != "shape" && key != "values") return cursor_.skip_value();
  if (!expect(Kind::kArray, base::cat("\"", key, "\" is not a list")) || !cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    const bool done = key == "shape" ? integer(key, 0, INT32_MAX, tensor.shape.emplace_back())
                                     : value(tensor.values.emplace_back());
    if (!done) return false;
  }
  return !cursor_.failed();
}

bool LineReader::tensor(GoldenTensor& tensor) {
  std::string_view key;
  if (!expect(Kind::kObject, base::cat("tensor ", base::quoted(tensor.name), " is not an object")) ||
      !cursor_.begin_object())
    return false;
  while (cursor_.next_member(key))
    if (!tensor_member(key, tensor)) return false;
  if (cursor_.failed()) return false;
  const auto count = tensor::element_count(tensor.shape);
  const auto step = static_cast<std::uint64_t>(tensor.step);
  if (!count || (*count + step - 1) / step != tensor.values.size())
    return fail(base::cat("tensor ", base::quoted(tensor.name), " has ", tensor.values.size(),
                          " values for the shape ", tensor::to_string(tensor.shape)));
  return true;
}

bool LineReader::tensors(std::string_view member, std::vector<GoldenTensor>& list) {
  std::string_view key;
  if (!expect(Kind::kObject, base::cat("\"", member, "\" is not an object")) || !cursor_.begin_object())
    return false;
  while (cursor_.next_member(key)) {
    for (const GoldenTensor& known : list)
      if (known.name == key) return fail(base::cat("tensor ", base::quoted(key), " is given twice"));
    GoldenTensor& read = list.emplace_back();
    read.name = key;
    if (!tensor(read)) return false;
  }
  return !cursor_.failed();
}

bool LineReader::read_example(GoldenExample& example) {
  bool has_columns = false, has_row = false, has_outputs = false, has_inputs = false, has_tensors = false,
       has_sample = false;
  std::string_view key;
  if (!expect(Kind::kObject, "the line is not an object") || !cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    bool* const seen = key == "columns"   ? &has_columns
                       : key == "row"     ? &has_row
                       : key == "outputs" ? &has_outputs
                       : key == "inputs"  ? &has_inputs
                       : key == "tensors" ? &has_tensors
                       : key == "sample"  ? &has_sample
                                          : nullptr;
    if (seen == nullptr) return fail(base::cat("unknown member ", base::quoted(key)));
    if (*seen) return fail(base::cat("member ", base::quoted(key), " is given twice"));
    *seen = true;
    const bool done = seen == &has_columns   ? columns(example)
                      : seen == &has_row     ? row(example)
                      : seen == &has_outputs ? outputs(example)
                      : seen == &has_sample  ? sample(example)
                      : seen == &has_inputs  ? tensors("inputs", example.inputs)
                                             : tensors("tensors", example.tensors);
    if (!done) return false;
  }
  if (cursor_.failed()) return false;
  if (has_tensors || has_inputs || has_sample) {
    if (has_row || has_columns || has_outputs) return fail("a line has rows or tensors, not both");
    if (has_inputs == has_sample || example.tensors.empty())
      return fail(has_inputs == has_sample ? "one of \"inputs\" and \"sample\" is needed"
                                           : "\"tensors\" is missing");
    return true;
  }
  if (!has_row || example.outputs.empty())
    return fail(base::cat(has_row ? "\"outputs\"" : "\"row\"", " is missing"));
  if (!example.columns.empty() && example.columns.size() != example.row.size())
    return fail(base::cat("the row has ", example.row.size(), " values, but there are ",
                          example.columns.size(), " columns"));
  return true;
}

base::Error at_line(base::Error error, std::string_view file, std::size_t line) {
  return bad(base::cat(file, ", line ", line, ": ", error.message), std::move(error.hint));
}

void append_value(const GoldenValue& value, std::string& out) {
  if (const auto* truth = std::get_if<bool>(&value))
    out += *truth ? "true" : "false";
  else if (const auto* integer = std::get_if<std::int64_t>(&value))
    append_integer(*integer, out);
  else if (const auto* number = std::get_if<double>(&value))
    append_double(*number, NonFinite::kPythonTokens, out);
  else if (const auto* text = std::get_if<std::string>(&value))
    append_string(*text, out);
  else
    out += "null";
}

void append_output(const GoldenOutput& output, std::string& out) {
  append_string(output.name, out);
  out += ": ";
  if (output.depth == 2) out += '[';
  for (std::size_t p = 0; p < output.parts.size(); ++p) {
    if (p != 0) out += ", ";
    if (output.depth > 0) out += '[';
    for (std::size_t i = 0; i < output.parts[p].size(); ++i) {
      if (i != 0) out += ", ";
      append_value(output.parts[p][i], out);
    }
    if (output.depth > 0) out += ']';
  }
  if (output.depth == 2) out += ']';
}

void append_tensors(std::span<const GoldenTensor> tensors, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (i != 0) out += ", ";
    append_string(tensors[i].name, out);
    out += ": {\"shape\": ";
    out += tensor::to_string(tensors[i].shape);
    if (tensors[i].step != 1) {
      out += base::cat(", \"step\": ", tensors[i].step, ", \"largest\": ");
      append_double(tensors[i].largest, NonFinite::kPythonTokens, out);
    }
    out += ", \"values\": [";
    for (std::size_t k = 0; k < tensors[i].values.size(); ++k) {
      if (k != 0) out += ", ";
      append_value(tensors[i].values[k], out);
    }
    out += "]}";
  }
  out += '}';
}

void append_tensor_example(const GoldenExample& example, std::string& out) {
  if (example.sample) {
    out += base::cat("{\"sample\": {\"batch\": ", example.sample->batch,
                     ", \"length\": ", example.sample->length, ", \"seed\": ", example.sample->seed, '}');
  } else {
    out += "{\"inputs\": ";
    append_tensors(example.inputs, out);
  }
  out += ", \"tensors\": ";
  append_tensors(example.tensors, out);
  out += "}\n";
}

void append_example(const GoldenExample& example, std::string& out) {
  if (!example.tensors.empty()) return append_tensor_example(example, out);
  out += "{\"columns\": ";
  if (example.columns.empty()) out += "null";
  for (std::size_t i = 0; i < example.columns.size(); ++i) {
    out += i == 0 ? "[" : ", ";
    append_string(example.columns[i], out);
  }
  if (!example.columns.empty()) out += ']';
  out += ", \"row\": [";
  for (std::size_t i = 0; i < example.row.size(); ++i) {
    if (i != 0) out += ", ";
    if (const auto* number = std::get_if<double>(&example.row[i]))
      append_double(*number, NonFinite::kPythonTokens, out);
    else if (const auto* text = std::get_if<std::string>(&example.row[i]))
      append_string(*text, out);
    else
      out += "null";
  }
  out += "], \"outputs\": {";
  for (std::size_t i = 0; i < example.outputs.size(); ++i) {
    if (i != 0) out += ", ";
    append_output(example.outputs[i], out);
  }
  out += "}}\n";
}

}  // namespace

std::string_view name(GoldenSource source) {
  return source == GoldenSource::kFramework ? "framework" : "wherry";
}

base::Result<Golden> read_golden(std::string_view content, std::string_view file,
                                 const GoldenLimits& limits) {
  if (content.size() > limits.bytes)
    return std::unexpected(bad(base::cat(file, " has ", base::human_size(content.size()),
                                         "; golden examples are limited to ", base::human_size(limits.bytes)),
                               "record fewer examples"));
  if (!base::is_valid_utf8(content))
    return std::unexpected(bad(base::cat(file, " is not UTF-8"), "write the file as UTF-8"));
  Golden golden;
  std::string arena;
  std::size_t line_number = 0;
  bool has_header = false;
  while (!content.empty()) {
    ++line_number;
    const std::size_t end = content.find('\n');
    const std::string_view line = base::trim(content.substr(0, end));
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.empty()) continue;
    LineReader reader(line, line_number, arena);
    if (!has_header) {
      if (auto read = reader.header(golden); !read)
        return std::unexpected(at_line(std::move(read.error()), file, line_number));
      has_header = true;
      continue;
    }
    if (golden.examples.size() == limits.examples)
      return std::unexpected(
          bad(base::cat(file, " has more than ", limits.examples, " examples"), "record fewer examples"));
    GoldenExample& example = golden.examples.emplace_back();
    example.line = line_number;
    if (auto read = reader.example(example); !read)
      return std::unexpected(at_line(std::move(read.error()), file, line_number));
  }
  if (!has_header)
    return std::unexpected(
        bad(base::cat(file, " is empty"),
            "its first line is {\"golden\": 1, \"framework\": …, \"version\": …, \"source\": …}"));
  return golden;
}

std::string write_golden(const Golden& golden) {
  std::string out = base::cat("{\"golden\": ", kFormatVersion, ", \"framework\": ");
  append_string(golden.framework, out);
  out += ", \"version\": ";
  append_string(golden.framework_version, out);
  out += base::cat(", \"source\": \"", name(golden.source), "\"}\n");
  for (const GoldenExample& example : golden.examples) append_example(example, out);
  return out;
}

}  // namespace wherry::protocol
