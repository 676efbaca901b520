#include "verify/values.h"

namespace wherry::verify {

using protocol::GoldenOutput;
using protocol::GoldenValue;
using tensor::CellKind;
using tensor::DType;
using tensor::ResultView;

GoldenValue value_at(const ResultView& view, std::size_t i) {
  if (view.table != nullptr) {
    switch (view.table->kind(i)) {
      case CellKind::kNumber:
        return view.table->numbers[i];
      case CellKind::kText:
        return std::string(view.table->texts[i]);
      case CellKind::kMissing:
        return std::monostate();
    }
  }
  switch (view.dtype) {
    case DType::kString:
      return std::string(view.texts[i]);
    case DType::kInt64:
      return view.as<std::int64_t>()[i];
    case DType::kBool:
      return view.as<std::uint8_t>()[i] != 0;
    default:
      return view.as<double>()[i];
  }
}

GoldenOutput output_of(const tensor::NamedResult& result) {
  GoldenOutput output{.name = std::string(result.name)};
  for (const ResultView& view : result.values) {
    std::vector<GoldenValue>& part = output.parts.emplace_back();
    for (std::size_t i = 0; i < view.size(); ++i) part.push_back(value_at(view, i));
  }
  const bool is_scalar = result.values.size() == 1 && result.values.front().axes < 2;
  output.depth = result.values.size() > 1 ? 2 : is_scalar ? 0 : 1;
  return output;
}

}  // namespace wherry::verify
