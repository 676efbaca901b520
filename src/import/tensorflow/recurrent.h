// Recognises the cells of Keras' LSTM, GRU and SimpleRNN layers in the body of a loop, whatever version of
// Keras wrote it, so that the loop becomes one ONNX operator.
//
// Thread-safety: as the Builder's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {

enum class Cell : std::uint8_t { kLstm, kGru, kSimple };

// What the body of a loop computes from item `counter` of list `inputs` and its states.
struct RecurrentBody {
  Cell cell = Cell::kSimple;
  std::size_t hidden = 0, memory = 0;   // arguments of the states; memory: an LSTM's only
  std::size_t inputs = 0, counter = 0;  // arguments: the list of inputs, which item of it
  Flat::Ref kernel, recurrent;          // [in, gates · units], [units, gates · units]
  std::optional<Flat::Ref> bias, recurrent_bias;
  std::vector<std::size_t> order;        // where the kernels have ONNX's gates: i o f c; z r h
  std::vector<std::string> activations;  // as ONNX' attribute
};

// `units`: length of a state. `constants`: the elements of an integer constant of the body.
using Constants = std::function<std::optional<Ints>(const Flat::Ref&)>;
std::optional<RecurrentBody> match_recurrent(const Flat& body, std::size_t hidden,
                                             std::optional<std::size_t> memory, std::int64_t units,
                                             const Constants& constants);

// The ONNX operator: the values of kernel, recurrent kernel and biases (kNone: none), inputs [time, batch,
// in], states [batch, units] (memory: kNone unless an LSTM). Gives the states of all rounds [time, batch,
// units] and the last ones.
struct RecurrentValues {
  ValueId kernel = kNone, recurrent = kNone, bias = kNone, recurrent_bias = kNone;
  ValueId inputs = kNone, hidden = kNone, memory = kNone;
};
struct RecurrentResults {
  ValueId all = kNone, hidden = kNone, memory = kNone;
};
RecurrentResults add_recurrent(Builder& b, const RecurrentBody& body, const RecurrentValues& values);

}  // namespace wherry::tensorflow
