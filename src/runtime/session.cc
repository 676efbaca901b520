#include "runtime/session.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <list>
#include <mutex>
#include <numeric>
#include <optional>

#include "runtime/environment.h"
#include "runtime/library.h"
#include "runtime/prune.h"
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
  std::vector<const char*> names;
  ValueType type;  // of the output being read; kept for its memory

  // Value `i` of the run as `output`.
  base::Status read(const Library& library, std::size_t i, std::size_t output);
};

Answers::Answers() = default;
Answers::~Answers() = default;
Answers::Answers(Answers&&) noexcept = default;
Answers& Answers::operator=(Answers&&) noexcept = default;

std::span<const ResultView> Answers::views() const {
  return state_ == nullptr ? std::span<const ResultView>() : state_->views;
}

base::Status Answers::State::read(const Library& library, std::size_t i, std::size_t output) {
  const Api& api = library.api;
  const auto running = [&](OrtStatus* status) { return check(api, status, Phase::kRunning); };
  const auto* value = values[i];
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
  TRY(running(api.tensor_data(values[i], &data)));
  view.data = data;
  return {};
}

struct Session::State {
  // The session of some outputs; null until it is made, and for ever where it cannot be or would be the whole
  // one.
  struct Part {
    std::vector<std::uint32_t> outputs;
    std::atomic<OrtSession*> session = nullptr;
  };

  explicit State(const Library& of) : library(of), weight_values(of.api) {}
  ~State() {
    for (const Part& part : parts)
      if (OrtSession* made = part.session.load()) library.api.release_session(made);
    if (session != nullptr) library.api.release_session(session);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Library& library;
  std::vector<std::string> inputs, outputs;
  std::vector<const char*> input_names, output_names;
  std::vector<std::uint32_t> all_outputs;
  std::vector<std::pair<std::string, tensor::Tensor>> weights;
  Values weight_values;
  base::Bytes proto;  // empty: not kept
  std::shared_ptr<const void> proto_owner;
  OrtSession* session = nullptr;
  std::mutex mutex;
  std::list<Part> parts;  // guarded by `mutex`; an element stays where it is

  // `values`: the weights it takes; null: all.
  base::Result<OrtSession*> load(base::Bytes model, const std::unordered_set<std::string_view>* values);
  OrtSession* session_for(std::span<const std::uint32_t> wanted);
  base::Status set_options(OrtSessionOptions* options);
  base::Status give_weights(OrtSessionOptions* options, const std::unordered_set<std::string_view>* values);
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

base::Status Session::State::give_weights(OrtSessionOptions* options,
                                          const std::unordered_set<std::string_view>* values) {
  std::vector<const char*> names;
  std::vector<const OrtValue*> given;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (values != nullptr && !values->contains(weights[i].first)) continue;
    names.push_back(weights[i].first.c_str());
    given.push_back(weight_values[i]);
  }
  if (names.empty()) return {};
  return check(library.api,
               library.api.add_external_initializers(options, names.data(), given.data(), names.size()),
               Phase::kLoading);
}

base::Result<OrtSession*> Session::State::load(base::Bytes model,
                                               const std::unordered_set<std::string_view>* values) {
  const Api& api = library.api;
  OrtSessionOptions* made = nullptr;
  TRY(check(api, api.create_session_options(&made), Phase::kLoading));
  const std::unique_ptr<OrtSessionOptions, OptionsEnd> options(made, OptionsEnd{api});
  TRY(set_options(made));
  TRY(give_weights(made, values));
  TRY(add_text_operators(library, made));
  OrtSession* loaded = nullptr;
  TRY(check(api, api.create_session_from_array(library.env, model.data(), model.size(), made, &loaded),
            Phase::kLoading));
  return loaded;
}

// While one thread makes the session of a set of outputs, others run the whole one.
OrtSession* Session::State::session_for(std::span<const std::uint32_t> wanted) {
  constexpr std::size_t kMostParts = 2;
  if (proto.empty() || wanted.size() == outputs.size()) return session;
  Part* part = nullptr;
  {
    const std::lock_guard lock(mutex);
    for (Part& known : parts)
      if (std::ranges::equal(known.outputs, wanted)) {
        OrtSession* made = known.session.load();
        return made != nullptr ? made : session;
      }
    if (parts.size() == kMostParts) return session;
    part = &parts.emplace_back();
    part->outputs.assign(wanted.begin(), wanted.end());
  }
  std::vector<std::string_view> names;
  for (const std::uint32_t output : wanted) names.push_back(outputs[output]);
  const auto pruned = prune(proto, names);
  if (!pruned) return session;
  const auto made = load(base::as_bytes(pruned->proto), &pruned->values);
  if (!made) return session;
  part->session.store(*made);
  return *made;
}

Session::Session() = default;
Session::~Session() = default;

base::Result<std::unique_ptr<const Session>> Session::create(Model model) {
  TRY_ASSIGN(const Environment* environment, Environment::get());
  const Library& library = environment->library();
  auto session = std::unique_ptr<Session>(new Session);
  session->state_ = std::make_unique<State>(library);
  State& state = *session->state_;
  state.inputs = std::move(model.inputs);
  state.outputs = std::move(model.outputs);
  state.input_names = pointers_to(state.inputs);
  state.output_names = pointers_to(state.outputs);
  state.all_outputs.resize(state.outputs.size());
  std::iota(state.all_outputs.begin(), state.all_outputs.end(), 0U);
  state.weights = std::move(model.weights);
  for (const auto& [name, tensor] : state.weights)
    TRY(put_elements(library, tensor.dtype(), tensor.shape(), tensor.bytes(), Phase::kLoading,
                     state.weight_values.add()));
  TRY_ASSIGN(state.session, state.load(model.proto, nullptr));
  if (model.owner != nullptr) state.proto = model.proto;
  state.proto_owner = std::move(model.owner);
  return session;
}

base::Status Session::run(std::span<const ResultView> inputs, Answers& answers) const {
  return run(inputs, state_->all_outputs, answers);
}

base::Status Session::run(std::span<const ResultView> inputs, std::span<const std::uint32_t> wanted,
                          Answers& answers) const {
  State& state = *state_;
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
  to.values.resize(wanted.size());
  to.views.assign(state.outputs.size(), ResultView());
  to.texts.resize(state.outputs.size());
  to.names.clear();
  for (const std::uint32_t output : wanted) to.names.push_back(state.output_names[output]);
  const Values& given = to.inputs;
  const base::Status ran =
      check(library.api,
            library.api.run(state.session_for(wanted), nullptr, state.input_names.data(), given.data(),
                            inputs.size(), to.names.data(), wanted.size(), to.values.data()),
            Phase::kRunning);
  to.inputs.clear();
  TRY(ran);
  for (std::size_t i = 0; i < wanted.size(); ++i) TRY(to.read(library, i, wanted[i]));
  return {};
}

}  // namespace wherry::runtime
