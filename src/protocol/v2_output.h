// The outputs of a V2 response, whatever carries them. Private to module protocol.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request.h"
#include "protocol/schema.h"
#include "tensor/view.h"

namespace wherry::protocol {

const tensor::ResultView* find_view(const Schema& schema, const OutputTensor& tensor,
                                    std::span<const tensor::NamedResult> results);

// The raw little-endian elements of a result (extension_binary_data.md): of a table of mixed cells its texts,
// its numbers as text and nothing for what is missing; of a numeric one the numbers.
std::size_t raw_size(const tensor::ResultView& view);
void append_raw(const tensor::ResultView& view, std::string& out);

// The k best of each row of a result, as BYTES "value:index" or "value:index:label" (Triton's
// extension_classification.md): [rows, k], the largest first, equal ones by index, NaN last.
class Classes {
 public:
  // `batched`: axis 0 are the rows; else all elements are one, and the shape is [k].
  Classes(const tensor::ResultView& view, std::uint32_t k, std::span<const std::string> labels, bool batched);
  Classes(const Classes&) = delete;
  Classes& operator=(const Classes&) = delete;
  const tensor::ResultView& view() const { return view_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::string_view> borrowed_;
  tensor::ResultView view_;
};

// take(tensor, view, binary) for every output the request wants, in its order.
template <class Take>
void each_output(const Schema& schema, const Request& request, std::span<const tensor::NamedResult> results,
                 Take take) {
  const bool chosen = !request.tensors.empty();
  const std::size_t count = chosen ? request.tensors.size() : schema.tensors().size();
  for (std::size_t i = 0; i < count; ++i) {
    const OutputTensor& tensor = schema.tensors()[chosen ? request.tensors[i] : i];
    const tensor::ResultView* const view = find_view(schema, tensor, results);
    if (view == nullptr) continue;
    const OutputForm form = chosen ? request.forms[i] : OutputForm();
    const bool binary = form.carriage == OutputForm::Carriage::kUnsaid
                            ? request.binary_outputs
                            : form.carriage == OutputForm::Carriage::kBinary;
    if (form.classes == 0) {
      take(tensor, *view, binary);
    } else {
      const Classes classes(*view, form.classes, schema.outputs()[tensor.output].labels,
                            schema.signature().batched);
      take(tensor, classes.view(), binary);
    }
  }
}

}  // namespace wherry::protocol
