#include "runtime/session.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "runtime/environment.h"
#include "runtime/library.h"
#include "runtime/text_operators.h"
#include "runtime/values.h"

#include "base/text.h"
#include "tensor/onnx_dtype.h"

namespace wherry::runtime {
namespace {

using base::cat;
using base::Code;
using tensor::DType;
using tensor::ResultView;

int number_of(DType dtype) {
  return static_cast<int>(tensor::onnx_dtype(dtype));
}

// Values of one run or session, released with it.
class Values {
 public:
  explicit Values(const Api& api) : api_(api) {}
  ~Values() { clear(); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  void clear() {
    for (OrtValue* value : values_)
      if (value != nullptr) api_.release_value(value);
    values_.clear();
  }
  OrtValue*& add() { return values_.emplace_back(nullptr); }
  void resize(std::size_t count) { values_.resize(count, nullptr); }
  OrtValue** data() { return values_.data(); }
  const OrtValue* const* data() const { return values_.data(); }
  OrtValue* operator[](std::size_t i) const { return values_[i]; }

 private:
  const Api api_;
  std::vector<OrtValue*> values_;
};

std::vector<const char*> pointers_to(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return pointers;
}

base::Status put_texts(const Library& library, const ResultView& view, OrtValue*& value) {
  const Api& api = library.api;
  TRY(check(api,
            api.create_tensor(library.allocator, view.lengths.data(), std::size_t{view.axes},
                              number_of(DType::kString), &value),
            Phase::kRunning));
  for (std::size_t i = 0; i < view.texts.size(); ++i) {
    char* room = nullptr;
    TRY(check(api, api.string_element_buffer(value, i, view.texts[i].size(), &room), Phase::kRunning));
    std::memcpy(room, view.texts[i].data(), view.texts[i].size());
  }
  return {};
}

base::Status put_elements(const Library& library, DType dtype, std::span<const std::int64_t> shape,
                          base::Bytes bytes, Phase phase, OrtValue*& value) {
  static std::byte nothing[8];  // an empty tensor needs an address as well
  void* data = bytes.empty() ? nothing : const_cast<std::byte*>(bytes.data());
  return check(library.api,
               library.api.create_tensor_with_data(library.memory, data, bytes.size(), shape.data(),
                                                   shape.size(), number_of(dtype), &value),
               phase);
}

struct OptionsEnd {
  Api api;
  void operator()(OrtSessionOptions* options) const { api.release_session_options(options); }
};
}  // namespace

struct Answers::State {
  explicit State(const Api& api) : inputs(api), values(api) {}
  Values inputs, values;
  std::vector<ResultView> views;
  std::vector<Texts> texts;  // by output; filled for those of strings
  ValueType type;            // of the output being read; kept for its memory

  base::Status read(const Library& library, std::size_t output);
};

Answers::Answers() = default;
Answers::~Answers() = default;
Answers::Answers(Answers&&) noexcept = default;
Answers& Answers::operator=(Answers&&) noexcept = default;

std::span<const ResultView> Answers::views() const {
  return state_ == nullptr ? std::span<const ResultView>() : state_->views;
}

base::Status Answers::State::read(const Library& library, std::size_t output) {
  const Api& api = library.api;
  const auto running = [&](OrtStatus* status) { return check(api, status, Phase::kRunning); };
  const auto* value = values[output];
  int is_tensor = 0;
  if (value != nullptr) TRY(running(api.is_tensor(value, &is_tensor)));
  if (is_tensor == 0)
    return base::fail(Code::kUnsupported, "runtime.unsupported",
                      cat("output ", output, " of the graph is not a tensor"), "export the model without it");
  TRY(running(read_type(api, value, type)));
  const std::size_t axes = type.lengths.size();
  const std::optional<DType> dtype = tensor::dtype_of_onnx(type.element);
  if (!dtype || axes > ResultView::kMostAxes)
    return base::fail(
        Code::kUnsupported, "runtime.unsupported",
        cat("output ", output, " of the graph has ", axes, " axes and element type ", type.element),
        "export the model without it");
  ResultView& view = views[output];
  view = {};
  view.dtype = *dtype;
  view.axes = static_cast<std::uint8_t>(axes);
  std::ranges::copy(type.lengths, view.lengths.begin());
  if (*dtype == DType::kString) {
    TRY(running(read_texts(api, value, view.size(), texts[output])));
    view.texts = texts[output].elements;
    return {};
  }
  void* data = nullptr;
  TRY(running(api.tensor_data(values[output], &data)));
  view.data = data;
  return {};
}

struct Session::State {
  explicit State(const Library& of) : library(of), weight_values(of.api) {}
  ~State() {
    if (session != nullptr) library.api.release_session(session);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Library& library;
  std::vector<std::string> inputs, outputs;
  std::vector<const char*> input_names, output_names;
  std::vector<std::pair<std::string, tensor::Tensor>> weights;
  Values weight_values;
  OrtSession* session = nullptr;

  base::Status set_options(OrtSessionOptions* options);
  base::Status give_weights(OrtSessionOptions* options);
};

base::Status Session::State::set_options(OrtSessionOptions* options) {
  const Api& api = library.api;
  const auto loading = [&](OrtStatus* status) { return check(api, status, Phase::kLoading); };
  TRY(loading(api.disable_session_threads(options)));
  TRY(loading(api.set_optimization_level(options, kOptimizeAll)));
  TRY(loading(api.set_session_log_level(options, kSilent)));
  // A pattern is kept per combination of lengths, of which clients may send any number.
  TRY(loading(api.disable_memory_pattern(options)));
  return loading(api.set_session_entry(options, "session.use_env_allocators", "1"));
}

base::Status Session::State::give_weights(OrtSessionOptions* options) {
  std::vector<const char*> names;
  for (const auto& [name, tensor] : weights) {
    names.push_back(name.c_str());
    TRY(put_elements(library, tensor.dtype(), tensor.shape(), tensor.bytes(), Phase::kLoading,
                     weight_values.add()));
  }
  if (names.empty()) return {};
  const Values& values = weight_values;
  return check(library.api,
               library.api.add_external_initializers(options, names.data(), values.data(), names.size()),
               Phase::kLoading);
}

Session::Session() = default;
Session::~Session() = default;

base::Result<std::unique_ptr<const Session>> Session::create(Model model) {
  TRY_ASSIGN(const Environment* environment, Environment::get());
  const Library& library = environment->library();
  const Api& api = library.api;
  auto session = std::unique_ptr<Session>(new Session);
  session->state_ = std::make_unique<State>(library);
  State& state = *session->state_;
  state.inputs = std::move(model.inputs);
  state.outputs = std::move(model.outputs);
  state.input_names = pointers_to(state.inputs);
  state.output_names = pointers_to(state.outputs);
  state.weights = std::move(model.weights);
  OrtSessionOptions* made = nullptr;
  TRY(check(api, api.create_session_options(&made), Phase::kLoading));
  const std::unique_ptr<OrtSessionOptions, OptionsEnd> options(made, OptionsEnd{api});
  TRY(state.set_options(made));
  TRY(state.give_weights(made));
  TRY(add_text_operators(library, made));
  TRY(check(api,
            api.create_session_from_array(library.env, model.proto.data(), model.proto.size(), made,
                                          &state.session),
            Phase::kLoading));
  return session;
}

base::Status Session::run(std::span<const ResultView> inputs, Answers& answers) const {
  const State& state = *state_;
  const Library& library = state.library;
  if (answers.state_ == nullptr) answers.state_ = std::make_unique<Answers::State>(library.api);
  Answers::State& to = *answers.state_;
  to.values.clear();
  to.inputs.clear();
  if (inputs.size() != state.inputs.size())
    return base::fail(Code::kInternal, "runtime.failed",
                      cat(inputs.size(), " inputs for a graph of ", state.inputs.size()), "");
  for (const ResultView& view : inputs) {
    OrtValue*& value = to.inputs.add();
    if (view.dtype == DType::kString) {
      TRY(put_texts(library, view, value));
      continue;
    }
    const base::Bytes bytes(static_cast<const std::byte*>(view.data),
                            view.size() * tensor::info(view.dtype).size);
    TRY(put_elements(library, view.dtype, view.shape(), bytes, Phase::kRunning, value));
  }
  const std::size_t count = state.outputs.size();
  to.values.resize(count);
  to.views.resize(count);
  to.texts.resize(count);
  const Values& given = to.inputs;
  const base::Status ran =
      check(library.api,
            library.api.run(state.session, nullptr, state.input_names.data(), given.data(), inputs.size(),
                            state.output_names.data(), count, to.values.data()),
            Phase::kRunning);
  to.inputs.clear();
  TRY(ran);
  for (std::size_t i = 0; i < count; ++i) TRY(to.read(library, i));
  return {};
}

}  // namespace wherry::runtime
