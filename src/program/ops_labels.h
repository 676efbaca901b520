// From scores to labels and plain lists. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

// matrix [n, k] → index: position of the first maximum; the first NaN wins over everything, as numpy.argmax.
struct Argmax {
  static constexpr std::string_view kName = "argmax";
  template <class V>
  void fields(V&) {}
};

// matrix [n, 1] → index: 1 where x > threshold (x >= threshold when `inclusive`), else 0 (NaN: 0).
struct Above {
  static constexpr std::string_view kName = "above";
  double threshold = 0;
  bool inclusive = false;
  template <class V>
  void fields(V& v) {
    v("threshold", threshold), v("inclusive", inclusive);
  }
};

// index → labels [n]: labels[index]; the weight is 1-D of dtype string, bool, int64 or float64.
struct TakeLabels {
  static constexpr std::string_view kName = "take_labels";
  WeightId labels;
  template <class V>
  void fields(V& v) {
    v("labels", labels);
  }
};

// Two or more labels [n] of one dtype → labels [n, k].
struct StackLabels {
  static constexpr std::string_view kName = "stack_labels";
  template <class V>
  void fields(V&) {}
};

// matrix [n, 1] → float64 [n].
struct Flatten {
  static constexpr std::string_view kName = "flatten";
  template <class V>
  void fields(V&) {}
};

using LabelsOps = OpList<Argmax, Above, TakeLabels, StackLabels, Flatten>;

}  // namespace wherry::program
