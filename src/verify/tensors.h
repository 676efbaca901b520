// Golden examples of tensor models. Private to module verify.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/plan.h"
#include "program/program.h"
#include "protocol/golden.h"
#include "tensor/table.h"
#include "tensor/view.h"

namespace wherry::verify {

// What the example sends. Fails with a sentence where it does not fit the model's inputs.
base::Result<tensor::Table> request_of(const program::Signature& signature,
                                       const protocol::GoldenExample& example);

// An answer as an example keeps it: of many elements, some.
protocol::GoldenTensor golden_tensor(std::string_view name, const tensor::ResultView& view);

struct TensorAgreement {
  bool agrees = false;
  std::size_t values = 0, identical = 0;
  double deviation = 0;       // largest |got - expected|, as a part of the largest magnitude of the tensor
  std::string expected, got;  // the first that does not agree
};
// Numbers agree within `tolerance` × the largest magnitude of the expected tensor (more for the 16-bit
// floats), all else when it is the same.
TensorAgreement compare(const protocol::GoldenTensor& expected, const tensor::ResultView& got,
                        double tolerance);

// Up to three examples, of several sizes where the model takes them. Empty where it refuses all that wherry
// makes up.
std::vector<protocol::GoldenExample> record_tensors(const engine::Plan& plan);

}  // namespace wherry::verify
