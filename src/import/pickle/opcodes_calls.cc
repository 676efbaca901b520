// Opcodes that name globals and say how objects are made; the arrays that joblib puts between opcodes.
#include "base/text.h"
#include "import/pickle/known.h"
#include "import/pickle/machine.h"

namespace wherry::pickle {

namespace {

constexpr std::string_view kArrayWrapper = "NumpyArrayWrapper";
constexpr std::string_view kJoblibModule = "joblib.numpy_pickle";  // or sklearn.externals.joblib.numpy_pickle

constexpr std::size_t kMostWrapperAttributes = 64;

bool ends_in_module(std::string_view module, std::string_view ending) {
  return module == ending || (module.ends_with(ending) && module[module.size() - ending.size() - 1] == '.');
}

bool is_array_wrapper(const Global& type) {
  return type.name == kArrayWrapper && ends_in_module(type.module, kJoblibModule);
}

// Before 0.10 joblib kept arrays in files of their own, or in the file in another way.
bool is_legacy_wrapper(const Global& global) {
  return (global.name == "NDArrayWrapper" || global.name == "ZNDArrayWrapper") &&
         (ends_in_module(global.module, kJoblibModule) ||
          ends_in_module(global.module, "joblib.numpy_pickle_compat"));
}

const Object* find(const Object& dict, std::string_view key) {
  const Object* found = nullptr;
  for (const Entry& entry : dict.mapping().entries)
    if (entry.key->kind() == Kind::kStr && entry.key->text() == key) found = entry.value;
  return found;
}

}  // namespace

base::Result<Object*> Machine::find_global(std::string_view module, std::string_view name) {
  Object* const global = heap_.global(module, name, protocol_, opcode_at_);
  if (is_legacy_wrapper(global->global()))
    return error(base::Code::kUnsupported, "pickle.legacy_joblib",
                 "the file was written by joblib 0.9 or older and keeps its arrays in another way",
                 "load it with joblib and save it again with joblib 0.10 or newer");
  return global;
}

base::Status Machine::op_global() {
  TRY_ASSIGN(const std::string_view module, line());
  TRY_ASSIGN(const std::string_view name, line());
  if (!is_wtf8(module) || !is_wtf8(name)) return malformed("pickle.bad_string", "the name is not UTF-8");
  TRY_ASSIGN(Object* const global, find_global(module, name));
  push(global);
  return {};
}

base::Status Machine::op_stack_global() {
  TRY_ASSIGN(const std::span<Object*> names, top_items(2));
  if (names[0]->kind() != Kind::kStr || names[1]->kind() != Kind::kStr)
    return malformed("pickle.bad_operand", "module and name are not str");
  TRY_ASSIGN(Object* const global, find_global(names[0]->text(), names[1]->text()));
  drop(2);
  push(global);
  return {};
}

base::Result<Object*> Machine::record(CallKind kind, Object& callee, std::span<const Object* const> args,
                                      const Object* kwargs) {
  if (callee.kind() != Kind::kGlobal && callee.kind() != Kind::kCall)
    return malformed("pickle.bad_operand", base::cat(name(callee.kind()), " cannot be called"));
  if (callee.kind() == Kind::kGlobal) {
    heap_.imports()[callee.global().import_index].called = true;
    const KnownCallable* const known = heap_.known(callee.global());
    if (known != nullptr && known->call != nullptr && kind == CallKind::kReduce) {
      auto decoded = known->call(heap_, args, opcode_at_);
      if (!decoded) return std::unexpected(located(std::move(decoded).error()));
      if (*decoded != nullptr) return *decoded;
    }
  }
  Call call;
  call.kind = kind;
  call.callee = &callee;
  call.args = args;
  call.kwargs = kwargs;
  return heap_.call(std::move(call), opcode_at_);
}

base::Status Machine::op_reduce() {
  TRY_ASSIGN(const std::span<Object*> operands, top_items(2));
  if (operands[1]->kind() != Kind::kTuple)
    return malformed("pickle.bad_operand",
                     base::cat("arguments are ", name(operands[1]->kind()), ", not a tuple"));
  TRY_ASSIGN(Object* const made, record(CallKind::kReduce, *operands[0], operands[1]->items(), nullptr));
  drop(2);
  push(made);
  return {};
}

base::Status Machine::op_newobj() {
  TRY_ASSIGN(const std::span<Object*> operands, top_items(2));
  if (operands[1]->kind() != Kind::kTuple)
    return malformed("pickle.bad_operand",
                     base::cat("arguments are ", name(operands[1]->kind()), ", not a tuple"));
  TRY_ASSIGN(Object* const made, record(CallKind::kNewObj, *operands[0], operands[1]->items(), nullptr));
  drop(2);
  push(made);
  return {};
}

base::Status Machine::op_newobj_ex() {
  TRY_ASSIGN(const std::span<Object*> operands, top_items(3));
  if (operands[1]->kind() != Kind::kTuple || operands[2]->kind() != Kind::kDict)
    return malformed("pickle.bad_operand", "arguments are not a tuple and a dict");
  TRY_ASSIGN(Object* const made,
             record(CallKind::kNewObjEx, *operands[0], operands[1]->items(), operands[2]));
  drop(3);
  push(made);
  return {};
}

base::Status Machine::op_obj() {
  TRY_ASSIGN(const std::span<Object* const> operands, since_mark());
  if (operands.empty()) return malformed("pickle.stack_underflow", "needs a class after MARK");
  const Object* const args = heap_.tuple(operands.subspan(1), opcode_at_);
  TRY_ASSIGN(Object* const made, record(CallKind::kObj, *operands[0], args->items(), nullptr));
  push(made);
  return {};
}

base::Status Machine::op_inst() {
  TRY_ASSIGN(const std::string_view module, line());
  TRY_ASSIGN(const std::string_view name, line());
  if (!is_wtf8(module) || !is_wtf8(name)) return malformed("pickle.bad_string", "the name is not UTF-8");
  TRY_ASSIGN(Object* const callee, find_global(module, name));
  TRY_ASSIGN(const std::span<Object* const> operands, since_mark());
  const Object* const args = heap_.tuple(operands, opcode_at_);
  TRY_ASSIGN(Object* const made, record(CallKind::kInst, *callee, args->items(), nullptr));
  push(made);
  return {};
}

base::Status Machine::op_build() {
  TRY_ASSIGN(const std::span<Object*> operands, top_items(2));
  Object& target = *operands[0];
  const Object& state = *operands[1];
  drop(1);
  if (target.kind() == Kind::kDtype) {
    auto applied = apply_dtype_state(heap_, target, state);
    if (!applied) return std::unexpected(located(std::move(applied).error()));
    return {};
  }
  if (target.kind() == Kind::kDict && target.mapping().type != nullptr) {
    heap_.mapping(target).states.push_back(&state);
    heap_.charge(sizeof(Object*) * 2);
    return {};
  }
  if (target.kind() != Kind::kCall || target.call().kind == CallKind::kPersistent)
    return malformed("pickle.bad_operand", base::cat("state for ", name(target.kind()), ", which has none"));
  Call& call = heap_.call(target);
  if (call.callee->kind() == Kind::kGlobal) {
    const KnownCallable* const known = heap_.known(call.callee->global());
    if (known != nullptr && known->state != nullptr) {
      auto decoded = known->state(heap_, target, state);
      if (!decoded) return std::unexpected(located(std::move(decoded).error()));
      if (*decoded) return {};
    }
  }
  call.states.push_back(&state);
  heap_.charge(sizeof(Object*) * 2);
  const Global* const type = call.type();
  if (type != nullptr && is_array_wrapper(*type)) return read_joblib_array(call);
  return {};
}

// joblib puts the array behind the BUILD of its wrapper: [n][n bytes of 0xff][data] (joblib >= 1.2), [data]
// (older), or a whole pickle for arrays of objects. The array takes the place of the wrapper on the stack.
base::Status Machine::read_joblib_array(const Call& wrapper) {
  has_joblib_arrays_ = true;
  if (depth_ >= heap_.limits().nested_pickles)
    return error(base::Code::kLimit, "pickle.limit_nested",
                 "a joblib array inside of a nested pickle, where joblib never writes one",
                 "the file is damaged, or hostile");
  const Object& state = *wrapper.states.back();
  if (state.kind() != Kind::kDict || state.mapping().entries.size() > kMostWrapperAttributes)
    return malformed("pickle.bad_array", "the state of the joblib array is not the dict that joblib writes");
  const Object* const dtype = find(state, "dtype");
  const Object* const shape = find(state, "shape");
  const Object* const order = find(state, "order");
  const Object* const alignment = find(state, "numpy_array_alignment_bytes");
  const Object* const subclass = find(state, "subclass");
  if (dtype == nullptr || shape == nullptr || order == nullptr || order->kind() != Kind::kStr ||
      (order->text() != "C" && order->text() != "F"))
    return malformed("pickle.bad_array", "the joblib array lacks dtype, shape or order");
  if (dtype->kind() != Kind::kDtype)
    return error(base::Code::kUnsupported, "pickle.unsupported_dtype",
                 "the dtype of the joblib array is none of numpy's own",
                 "convert the array to a built-in dtype before saving the model");
  if (position_ < frame_end_)
    return malformed("pickle.bad_frame", "joblib array data begins before its frame ends");
  auto laid_out = lay_out(heap_.limits(), dtype->dtype(), *shape, order->text() == "F");
  if (!laid_out) return std::unexpected(located(std::move(laid_out).error()));
  if (dtype->dtype().has_objects) return read_nested_pickle();
  NdArray array = std::move(*laid_out);
  if (alignment != nullptr && !alignment->is_none()) {
    TRY_ASSIGN(const std::uint64_t padding, little(1));
    TRY(take(padding));
  }
  TRY_ASSIGN(const std::string_view data, take(array.count * array.dtype->itemsize));
  array.origin = reinterpret_cast<const std::byte*>(data.data());
  array.type = subclass != nullptr && subclass->kind() == Kind::kGlobal
                   ? &subclass->global()
                   : heap_.well_known("numpy", "ndarray");
  drop(1);
  push(heap_.array(Kind::kArray, std::move(array), opcode_at_));
  return {};
}

base::Status Machine::read_nested_pickle() {
  Machine nested(heap_, base::as_bytes(stream_), position_, depth_ + 1);
  auto value = nested.run();
  if (!value)
    return base::with_context(std::move(value).error(),
                              base::cat("in the object array at offset ", position_));
  position_ = nested.position();
  drop(1);
  push(*value);
  return {};
}

}  // namespace wherry::pickle
