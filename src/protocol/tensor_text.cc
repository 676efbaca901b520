#include <algorithm>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/json_writer.h"
#include "protocol/response.h"

namespace wherry::protocol {
namespace {

constexpr std::size_t kMostLines = 20;
constexpr std::size_t kMostValues = 10;

void append_value(const tensor::ResultView& view, std::size_t i, std::string& out) {
  if (view.table != nullptr || view.dtype != tensor::DType::kFloat32)
    return append_element(view, i, NonFinite::kPythonTokens, out);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", static_cast<double>(view.as<float>()[i]));
  out += buffer;
}

void append_tensor(std::string_view name, const tensor::ResultView& view, std::string& out) {
  const auto shape = view.shape();
  out += base::cat(name, ": ", datatype_of(view), " ", tensor::to_string({shape.begin(), shape.end()}), "\n");
  const std::size_t width = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
  const std::size_t lines = width == 0 ? 0 : view.size() / width;
  for (std::size_t line = 0; line < std::min(lines, kMostLines); ++line) {
    out += ' ';
    for (std::size_t i = 0; i < std::min(width, kMostValues); ++i) {
      out += ' ';
      append_value(view, line * width + i, out);
    }
    out += width > kMostValues ? " …\n" : "\n";
  }
  if (lines > kMostLines) out += base::cat("  … and ", lines - kMostLines, " more lines\n");
}

}  // namespace

void write_tensor_text(std::span<const tensor::NamedResult> results, std::string& out) {
  for (const tensor::NamedResult& result : results)
    for (std::size_t k = 0; k < result.values.size(); ++k)
      append_tensor(result.values.size() == 1 ? std::string(result.name) : base::cat(result.name, "_", k),
                    result.values[k], out);
}

}  // namespace wherry::protocol
