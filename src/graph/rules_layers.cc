// Operators of layers: products, convolutions, pools, normalisations, recurrences, resizing, strings.
#include <algorithm>
#include <array>
#include <map>

#include "graph/rules.h"

#include "base/text.h"

namespace wherry::graph {
namespace {

using tensor::DType;

void matmul(Inference& i) {
  const Type& a = i.in(0);
  const Type& b = i.in(1);
  if (a.dtype != b.dtype)
    return i.fail(base::cat("inputs of the types ", to_string(a), " and ", to_string(b)));
  if (!a.ranked || !b.ranked) return;
  if (a.rank() == 0 || b.rank() == 0) return i.fail("an input is a scalar");
  const Dim inner_a = a.dims.back();
  const Dim inner_b = b.rank() == 1 ? b.dims[0] : b.dims[b.rank() - 2];
  if (inner_a.known() && inner_b.known() && inner_a != inner_b)
    return i.fail(base::cat("inputs of the types ", to_string(a), " and ", to_string(b)));
  Type left{a.dtype, true, {}};
  Type right{b.dtype, true, {}};
  if (a.rank() > 2) left.dims.assign(a.dims.begin(), a.dims.end() - 2);
  if (b.rank() > 2) right.dims.assign(b.dims.begin(), b.dims.end() - 2);
  const Type* const batches[] = {&left, &right};
  auto dims = broadcast(i.builder, batches);
  if (a.rank() > 1) dims->push_back(a.dims[a.rank() - 2]);
  if (b.rank() > 1) dims->push_back(b.dims.back());
  i.dims(0, std::move(*dims));
}

void gemm(Inference& i) {
  const Type& a = i.in(0);
  const Type& b = i.in(1);
  if (a.dtype != b.dtype) return i.fail("inputs of two types");
  if (!a.ranked || !b.ranked) return;
  if (a.rank() != 2 || b.rank() != 2) return i.fail("inputs are no matrices");
  const bool turn_a = i.int_or("transA", 0) != 0;
  const bool turn_b = i.int_or("transB", 0) != 0;
  const Dim inner_a = a.dims[turn_a ? 0 : 1];
  const Dim inner_b = b.dims[turn_b ? 1 : 0];
  if (inner_a.known() && inner_b.known() && inner_a != inner_b)
    return i.fail(base::cat("inputs of the types ", to_string(a), " and ", to_string(b)));
  i.dims(0, {a.dims[turn_a ? 1 : 0], b.dims[turn_b ? 0 : 1]});
}

// Sizes and paddings of a window along one spatial axis.
struct Window {
  std::int64_t kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;
  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
};

constexpr std::int64_t kMostWindow = std::int64_t{1} << 31;

// False (and an error): an attribute does not fit.
bool read_windows(Inference& i, std::span<const Dim> kernel, std::vector<Window>& windows) {
  const Attributes& attributes = i.node.attributes;
  const std::size_t n = windows.size();
  const auto strides = ints_of(attributes, "strides");
  const auto dilations = ints_of(attributes, "dilations");
  const auto pads = ints_of(attributes, "pads");
  if ((!strides.empty() && strides.size() != n) || (!dilations.empty() && dilations.size() != n) ||
      (!pads.empty() && pads.size() != 2 * n) || kernel.size() != n) {
    i.fail("attributes and input have different numbers of axes");
    return false;
  }
  for (std::size_t k = 0; k < n; ++k) {
    Window& w = windows[k];
    w.kernel = kernel[k].known() ? kernel[k].number : -1;
    if (!strides.empty()) w.stride = strides[k];
    if (!dilations.empty()) w.dilation = dilations[k];
    if (!pads.empty()) w.before = pads[k], w.after = pads[n + k];
    for (const std::int64_t number : {w.kernel, w.stride, w.dilation})
      if (number > kMostWindow || (number < 1 && kernel[k].known())) {
        i.fail("a kernel, stride or dilation is not possible");
        return false;
      }
    if (w.before > kMostWindow || w.after > kMostWindow || w.before < -kMostWindow ||
        w.after < -kMostWindow) {
      i.fail("a padding is not possible");
      return false;
    }
  }
  return true;
}

Dim windowed(Inference& i, const Dim& length, const Window& w) {
  const std::string_view automatic = string_of(i.node.attributes, "auto_pad", "NOTSET");
  if (automatic.starts_with("SAME")) {
    if (w.stride == 1) return length;
    return length.known() ? Dim{(length.number + w.stride - 1) / w.stride, 0} : i.builder.fresh();
  }
  if (w.kernel < 0) return i.builder.fresh();
  const std::int64_t padding = automatic == "VALID" ? 0 : w.before + w.after;
  const std::int64_t less = w.span() - padding;
  if (!length.known()) return w.stride == 1 && less == 1 ? length : i.builder.fresh();
  const std::int64_t room = length.number - less;
  if (room < 0) {
    i.fail(base::cat("a window of ", w.span(), " does not fit into a length of ", length.number));
    return length;
  }
  std::int64_t count = room / w.stride + 1;
  if (i.int_or("ceil_mode", 0) != 0 && room % w.stride != 0) {
    ++count;  // unless the last window would lie in the padding behind the input
    if ((count - 1) * w.stride >= length.number + w.before) --count;
  }
  return {count, 0};
}

std::vector<Dim> kernel_of(Inference& i, const Type& weight) {
  const auto given = ints_of(i.node.attributes, "kernel_shape");
  if (!given.empty()) return dims_of({given.begin(), given.end()});
  return {weight.dims.begin() + 2, weight.dims.end()};
}

void conv(Inference& i) {
  const Type& x = i.in(0);
  const Type& w = i.in(1);
  if (x.dtype != w.dtype)
    return i.fail(base::cat("inputs of the types ", to_string(x), " and ", to_string(w)));
  if (!w.ranked) return;
  if (w.rank() < 3 || (x.ranked && x.rank() != w.rank()))
    return i.fail(base::cat("inputs of the types ", to_string(x), " and ", to_string(w)));
  std::vector<Window> windows(w.rank() - 2);
  if (!read_windows(i, kernel_of(i, w), windows)) return;
  if (!x.ranked) return;
  const std::int64_t group = i.int_or("group", 1);
  if (x.dims[1].known() && w.dims[1].known() && x.dims[1].number != w.dims[1].number * group)
    return i.fail(
        base::cat("inputs of the types ", to_string(x), " and ", to_string(w), " with ", group, " groups"));
  Dims dims{x.dims[0], w.dims[0]};
  for (std::size_t k = 0; k < windows.size(); ++k) dims.push_back(windowed(i, x.dims[k + 2], windows[k]));
  i.dims(0, std::move(dims));
}

void conv_transpose(Inference& i) {
  const Type& x = i.in(0);
  const Type& w = i.in(1);
  if (x.dtype != w.dtype) return i.fail("inputs of two types");
  if (!x.ranked || !w.ranked) return;
  if (w.rank() < 3 || x.rank() != w.rank())
    return i.fail(base::cat("inputs of the types ", to_string(x), " and ", to_string(w)));
  std::vector<Window> windows(w.rank() - 2);
  if (!read_windows(i, kernel_of(i, w), windows)) return;
  const auto more = ints_of(i.node.attributes, "output_padding");
  const auto stated = ints_of(i.node.attributes, "output_shape");
  const bool same = string_of(i.node.attributes, "auto_pad", "NOTSET").starts_with("SAME");
  Dims dims{x.dims[0], i.builder.fresh()};
  std::int64_t channels = 0;
  if (w.dims[1].known() && !__builtin_mul_overflow(w.dims[1].number, i.int_or("group", 1), &channels))
    dims[1] = {channels, 0};
  for (std::size_t k = 0; k < windows.size(); ++k) {
    const Window& window = windows[k];
    const Dim& length = x.dims[k + 2];
    const std::int64_t extra = k < more.size() ? std::clamp(more[k], -kMostWindow, kMostWindow) : 0;
    std::int64_t grown = 0;
    if (k < stated.size())
      dims.push_back({stated[k], 0});
    else if (!length.known() || window.kernel < 0 ||
             __builtin_mul_overflow(length.number - (same ? 0 : 1), window.stride, &grown) ||
             grown > INT64_MAX / 2)
      dims.push_back(i.builder.fresh());
    else
      dims.push_back({same ? grown : grown + extra + window.span() - window.before - window.after, 0});
  }
  i.dims(0, std::move(dims));
}

void pool(Inference& i) {
  const Type& x = i.in(0);
  if (i.outputs.size() > 1) i.outputs[1].dtype = DType::kInt64;
  if (!x.ranked) return;
  const auto kernel = ints_of(i.node.attributes, "kernel_shape");
  if (x.rank() < 3 || kernel.size() != x.rank() - 2)
    return i.fail("kernel and input have different numbers of axes");
  std::vector<Window> windows(kernel.size());
  if (!read_windows(i, dims_of({kernel.begin(), kernel.end()}), windows)) return;
  Dims dims{x.dims[0], x.dims[1]};
  for (std::size_t k = 0; k < windows.size(); ++k) dims.push_back(windowed(i, x.dims[k + 2], windows[k]));
  if (i.outputs.size() > 1) i.dims(1, dims);
  i.dims(0, std::move(dims));
}

void global_pool(Inference& i) {
  const Type& x = i.in(0);
  if (!x.ranked) return;
  Dims dims = x.dims;
  for (std::size_t k = 2; k < dims.size(); ++k) dims[k] = {1, 0};
  i.dims(0, std::move(dims));
}

void normalization(Inference& i) {
  i.outputs[0] = i.in(0);
}

// Y [seq, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden] (layout 0).
void recurrence(Inference& i) {
  const Type& x = i.in(0);
  const Type& r = i.in(2);
  const std::int64_t hidden_size = i.int_or("hidden_size", 0);
  const Dim hidden = hidden_size > 0 ? Dim{hidden_size, 0} : r.ranked ? r.dims.back() : i.builder.fresh();
  const bool both = string_of(i.node.attributes, "direction", "forward") == "bidirectional";
  if (i.int_or("layout", 0) != 0) return i.fail("layout 1 is not used");
  if (x.ranked && x.rank() != 3) return i.fail("the input does not have three axes");
  const Dim directions{both ? 2 : 1, 0};
  const Dim length = x.ranked ? x.dims[0] : i.builder.fresh();
  const Dim batch = x.ranked ? x.dims[1] : i.builder.fresh();
  i.dims(0, {length, directions, batch, hidden});
  for (std::size_t k = 1; k < i.outputs.size(); ++k) i.dims(k, {directions, batch, hidden});
}

void resize(Inference& i) {
  const Type& x = i.in(0);
  if (!x.ranked) return;
  Dims dims = x.dims;
  const auto axes = ints_of(i.node.attributes, "axes");
  const auto sizes = i.elements(3);
  const tensor::Tensor* scales = i.constant(2);
  const std::size_t count = axes.empty() ? dims.size() : axes.size();
  for (std::size_t k = 0; k < count; ++k) {
    const auto axis = i.axis(axes.empty() ? static_cast<std::int64_t>(k) : axes[k], dims.size());
    if (!axis) return;
    Dim& dim = dims[*axis];
    if (sizes && sizes->size() == count)
      dim = (*sizes)[k];
    else if (scales != nullptr && scales->dtype() == DType::kFloat32 && scales->size() == count) {
      const float scale = scales->as<float>()[k];
      if (scale == 1) continue;
      const float length = static_cast<float>(dim.number) * scale;
      dim = dim.known() && length >= 0 && length < 1e9F ? Dim{static_cast<std::int64_t>(length), 0}
                                                        : i.builder.fresh();
    } else {
      dim = i.builder.fresh();
    }
  }
  i.dims(0, std::move(dims));
}

void grid_sample(Inference& i) {
  const Type& x = i.in(0);
  const Type& grid = i.in(1);
  if (!x.ranked || !grid.ranked || x.rank() != grid.rank() || x.rank() < 3) return;
  Dims dims{x.dims[0], x.dims[1]};
  dims.insert(dims.end(), grid.dims.begin() + 1, grid.dims.end() - 1);
  i.dims(0, std::move(dims));
}

void einsum(Inference& i) {
  std::string equation(string_of(i.node.attributes, "equation", ""));
  std::erase(equation, ' ');
  const std::size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find("...") != std::string::npos) return;
  std::map<char, Dim> lengths;
  const auto terms = base::split(std::string_view(equation).substr(0, arrow), ',');
  if (terms.size() != i.node.inputs.size()) return i.fail("as many terms as inputs are needed");
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const Type& type = i.in(k);
    if (!type.ranked) return;
    if (type.rank() != terms[k].size()) return i.fail(base::cat("term ", terms[k], " for ", to_string(type)));
    for (std::size_t a = 0; a < type.rank(); ++a) {
      const auto [at, is_new] = lengths.emplace(terms[k][a], type.dims[a]);
      if (!is_new) at->second = broadcast(i.builder, at->second, type.dims[a]);
    }
  }
  Dims dims;
  for (const char letter : std::string_view(equation).substr(arrow + 2)) {
    const auto at = lengths.find(letter);
    if (at == lengths.end()) return i.fail("an index of the result is in no term");
    dims.push_back(at->second);
  }
  i.dims(0, std::move(dims));
}

void string_normalizer(Inference& i) {
  i.outputs[0] = i.in(0);
  for (Dim& dim : i.outputs[0].dims)
    if (find(i.node.attributes, "stopwords") != nullptr) dim = i.builder.fresh();
}

void string_split(Inference& i) {
  if (i.outputs.size() != 2) return i.fail("StringSplit has two outputs");
  i.outputs[1].dtype = DType::kInt64;
  if (!i.in(0).ranked) return;
  i.dims(1, i.in(0).dims);
  Dims dims = i.in(0).dims;
  dims.push_back(i.builder.fresh());
  i.dims(0, std::move(dims));
}

void unknown_shape(Inference&) {}

constexpr auto kRows = std::to_array<OpRow>({
    {"MatMul", 2, 2, matmul},
    {"Gemm", 2, 3, gemm},
    {"Einsum", 1, kAny, einsum},
    {"Conv", 2, 3, conv},
    {"ConvTranspose", 2, 3, conv_transpose},
    {"MaxPool", 1, 1, pool},
    {"AveragePool", 1, 1, pool},
    {"LpPool", 1, 1, pool},
    {"GlobalAveragePool", 1, 1, global_pool},
    {"GlobalMaxPool", 1, 1, global_pool},
    {"GlobalLpPool", 1, 1, global_pool},
    {"BatchNormalization", 5, 5, normalization},
    {"InstanceNormalization", 3, 3, normalization},
    {"LayerNormalization", 2, 3, normalization},
    {"LSTM", 3, 8, recurrence},
    {"GRU", 3, 6, recurrence},
    {"RNN", 3, 6, recurrence},
    {"Resize", 1, 4, resize},
    {"GridSample", 2, 2, grid_sample},
    {"AffineGrid", 2, 2, unknown_shape},
    {"Col2Im", 3, 3, unknown_shape},
    {"DFT", 1, 3, unknown_shape},
    {"STFT", 2, 4, unknown_shape},
    {"RoiAlign", 3, 3, unknown_shape},
    {"StringNormalizer", 1, 1, string_normalizer},
    {"StringSplit", 1, 1, string_split},
});

// ai.onnx.ml

void label_encoder(Inference& i) {
  i.outputs[0] = i.in(0);
  for (const auto& [name, dtype] :
       std::initializer_list<std::pair<std::string_view, DType>>{{"values_int64s", DType::kInt64},
                                                                 {"values_strings", DType::kString},
                                                                 {"values_floats", DType::kFloat32}})
    if (find(i.node.attributes, name) != nullptr) i.outputs[0].dtype = dtype;
  const auto* values = find(i.node.attributes, "values_tensor");
  if (const auto* tensor = values ? std::get_if<tensor::Tensor>(values) : nullptr)
    i.outputs[0].dtype = tensor->dtype();
}

// ai.wherry: each maps texts one by one.

void text_to(Inference& i, DType dtype) {
  if (i.in(0).dtype != DType::kString) return i.fail(base::cat("an input of the type ", to_string(i.in(0))));
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = dtype;
}
void text_to_text(Inference& i) {
  text_to(i, DType::kString);
}
void text_to_int64(Inference& i) {
  text_to(i, DType::kInt64);
}
void text_to_float(Inference& i) {
  text_to(i, DType::kFloat32);
}

constexpr auto kOwnRows = std::to_array<OpRow>({
    {"TextLower", 1, 1, text_to_text},
    {"TextUpper", 1, 1, text_to_text},
    {"TextStrip", 1, 1, text_to_text},
    {"TextReplace", 1, 1, text_to_text},
    {"TextHash64", 1, 1, text_to_int64},
    {"TextFingerprint64", 1, 1, text_to_int64},
    {"TextHashStrong", 1, 1, text_to_int64},
    {"TextToInt64", 1, 1, text_to_int64},
    {"TextToFloat32", 1, 1, text_to_float},
});

constexpr auto kMlRows = std::to_array<OpRow>({{"LabelEncoder", 1, 1, label_encoder}});

}  // namespace

std::span<const OpRow> layer_rows() {
  return kRows;
}
std::span<const OpRow> own_rows() {
  return kOwnRows;
}
std::span<const OpRow> ml_rows() {
  return kMlRows;
}

}  // namespace wherry::graph
