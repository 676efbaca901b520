#include "verify/results.h"

namespace wherry::verify {
namespace {

tensor::ResultView view_of(const engine::ResultView& result) {
  tensor::ResultView view;
  view.dtype = result.dtype;
  view.axes = result.is_vector ? 1 : 2;
  view.lengths = {static_cast<std::int64_t>(result.rows), static_cast<std::int64_t>(result.columns)};
  if (result.kind == program::ValueKind::kTable) {
    view.axes = 2;
    view.table = result.table;
    return view;
  }
  switch (result.dtype) {
    case tensor::DType::kString:
      view.texts = result.strings;
      break;
    case tensor::DType::kInt64:
      view.data = result.integers.data();
      break;
    case tensor::DType::kBool:
      view.data = result.bools.data();
      break;
    default:
      view.data = result.doubles.data();
  }
  return view;
}

}  // namespace

std::span<const tensor::NamedResult> Results::collect(const engine::Plan& plan,
                                                      const engine::Workspace& workspace,
                                                      engine::OutputSet wanted) {
  views_.clear();
  results_.clear();
  const std::span<const program::Output> outputs = plan.outputs();
  std::size_t count = 0;
  for (const program::Output& output : outputs) count += output.values.size();
  views_.reserve(count);  // the spans below point into it
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if ((wanted & engine::only(i)) == 0) continue;
    const std::size_t first = views_.size();
    for (std::size_t k = 0; k < outputs[i].values.size(); ++k)
      views_.push_back(view_of(workspace.result(i, k)));
    results_.push_back({outputs[i].name, std::span(views_).subspan(first), outputs[i].labels});
  }
  return results_;
}

}  // namespace wherry::verify
