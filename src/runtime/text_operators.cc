#include "runtime/text_operators.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/values.h"
#include "tftext/operators.h"

namespace wherry::runtime {
namespace {

using tftext::Kind;

constexpr int kFloatType = 1, kInt64Type = 7, kStringType = 8;  // ONNXTensorElementDataType

int type_of(Kind kind) {
  return kind == Kind::kText ? kStringType : kind == Kind::kInt64 ? kInt64Type : kFloatType;
}

// OrtCustomOp of API version 20, to which releases append as they do to OrtApi.
struct CustomOperator {
  std::uint32_t version = kApiVersion;
  void* (*create)(const CustomOperator*, const void* api, const OrtKernelInfo*) = nullptr;
  const char* (*name)(const CustomOperator*) = nullptr;
  const char* (*provider)(const CustomOperator*) = nullptr;
  int (*input_type)(const CustomOperator*, std::size_t) = nullptr;
  std::size_t (*input_count)(const CustomOperator*) = nullptr;
  int (*output_type)(const CustomOperator*, std::size_t) = nullptr;
  std::size_t (*output_count)(const CustomOperator*) = nullptr;
  void (*compute)(void*, OrtKernelContext*) = nullptr;
  void (*destroy)(void*) = nullptr;
  int (*input_characteristic)(const CustomOperator*, std::size_t) = nullptr;
  int (*output_characteristic)(const CustomOperator*, std::size_t) = nullptr;
  int (*input_memory)(const CustomOperator*, std::size_t) = nullptr;
  int (*variadic_input_least)(const CustomOperator*) = nullptr;
  int (*variadic_input_homogeneous)(const CustomOperator*) = nullptr;
  int (*variadic_output_least)(const CustomOperator*) = nullptr;
  int (*variadic_output_homogeneous)(const CustomOperator*) = nullptr;
  OrtStatus* (*create_checked)(const CustomOperator*, const void* api, const OrtKernelInfo*,
                               void**) = nullptr;
  OrtStatus* (*compute_checked)(void*, OrtKernelContext*) = nullptr;
  OrtStatus* (*infer_shape)(const CustomOperator*, void*) = nullptr;
  int (*first_version)(const CustomOperator*) = nullptr;
  int (*last_version)(const CustomOperator*) = nullptr;
  std::size_t (*may_inplace)(int**, int**) = nullptr;
  void (*release_inplace)(int*, int*) = nullptr;
  std::size_t (*aliases)(int**, int**) = nullptr;
  void (*release_aliases)(int*, int*) = nullptr;
};

struct TextOp : CustomOperator {
  const tftext::OperatorRow* row = nullptr;
  const Library* library = nullptr;
};

OrtStatus* status_of(const Api& api, const base::Error& error) {
  return api.create_status(static_cast<int>(Failure::kInvalidArgument), error.message.c_str());
}

struct Kernel {
  const TextOp* op;
  std::unique_ptr<const tftext::TextOperator> text;
};

std::string attribute_text(const Api& api, const OrtKernelInfo* info, const char* name) {
  std::size_t size = 0;
  if (OrtStatus* missing = api.attribute_text(info, name, static_cast<char*>(nullptr), &size)) {
    api.release_status(missing);
    return {};
  }
  std::string text(size, '\0');
  if (OrtStatus* failed = api.attribute_text(info, name, text.data(), &size)) {
    api.release_status(failed);
    return {};
  }
  text.resize(size == 0 ? 0 : size - 1);  // the size counts the zero at the end
  return text;
}

std::int64_t attribute_number(const Api& api, const OrtKernelInfo* info, const char* name) {
  std::int64_t number = 0;
  if (OrtStatus* missing = api.attribute_number(info, name, &number)) {
    api.release_status(missing);
    return 0;
  }
  return number;
}

OrtStatus* create(const CustomOperator* base, const void*, const OrtKernelInfo* info, void** kernel) {
  const auto* op = static_cast<const TextOp*>(base);
  const Api& api = op->library->api;
  auto made = op->row->make({[&](const char* name) { return attribute_text(api, info, name); },
                             [&](const char* name) { return attribute_number(api, info, name); }});
  if (!made) return status_of(api, made.error());
  *kernel = new Kernel{op, std::move(*made)};
  return nullptr;
}

// A run's input.
struct Input {
  ValueType type;
  Texts texts;
};

OrtStatus* read_input(const Api& api, OrtKernelContext* context, Input& input) {
  const OrtValue* value = nullptr;
  if (OrtStatus* failed = api.kernel_input(context, std::size_t{0}, &value)) return failed;
  if (OrtStatus* failed = read_type(api, value, input.type)) return failed;
  std::size_t count = 1;
  for (const std::int64_t length : input.type.lengths) count *= static_cast<std::size_t>(length);
  return read_texts(api, value, count, input.texts);
}

OrtStatus* write_texts(const Kernel& kernel, const Input& input, OrtValue* output) {
  const Api& api = kernel.op->library->api;
  std::vector<std::string> texts(input.texts.elements.size());
  if (const base::Status ran = kernel.text->to_texts(input.texts.elements, std::span(texts)); !ran)
    return status_of(api, ran.error());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    char* room = nullptr;
    if (OrtStatus* failed = api.string_element_buffer(output, i, texts[i].size(), &room)) return failed;
    std::memcpy(room, texts[i].data(), texts[i].size());
  }
  return nullptr;
}

OrtStatus* write_numbers(const Kernel& kernel, const Input& input, OrtValue* output) {
  const Api& api = kernel.op->library->api;
  void* data = nullptr;
  if (OrtStatus* failed = api.tensor_data(output, &data)) return failed;
  const std::size_t count = input.texts.elements.size();
  const base::Status ran =
      kernel.op->row->kind == Kind::kInt64
          ? kernel.text->to_int64s(input.texts.elements, std::span(static_cast<std::int64_t*>(data), count))
          : kernel.text->to_floats(input.texts.elements, std::span(static_cast<float*>(data), count));
  return ran ? nullptr : status_of(api, ran.error());
}

OrtStatus* compute(void* state, OrtKernelContext* context) {
  const Kernel& kernel = *static_cast<const Kernel*>(state);
  const Api& api = kernel.op->library->api;
  Input input;
  if (OrtStatus* failed = read_input(api, context, input)) return failed;
  OrtValue* output = nullptr;
  if (OrtStatus* failed = api.kernel_output(context, std::size_t{0}, input.type.lengths.data(),
                                            input.type.lengths.size(), &output))
    return failed;
  return kernel.op->row->kind == Kind::kText ? write_texts(kernel, input, output)
                                             : write_numbers(kernel, input, output);
}

TextOp operator_of(const Library& library, const tftext::OperatorRow& row) {
  TextOp op;
  op.row = &row;
  op.library = &library;
  op.name = [](const CustomOperator* self) { return static_cast<const TextOp*>(self)->row->name; };
  op.provider = [](const CustomOperator*) -> const char* { return nullptr; };
  op.input_type = [](const CustomOperator*, std::size_t) { return kStringType; };
  op.input_count = [](const CustomOperator*) { return std::size_t{1}; };
  op.output_type = [](const CustomOperator* self, std::size_t) {
    return type_of(static_cast<const TextOp*>(self)->row->kind);
  };
  op.output_count = [](const CustomOperator*) { return std::size_t{1}; };
  op.destroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  op.input_characteristic = [](const CustomOperator*, std::size_t) { return 0; };   // required
  op.output_characteristic = [](const CustomOperator*, std::size_t) { return 0; };  // required
  op.input_memory = [](const CustomOperator*, std::size_t) { return kDefaultMemory; };
  op.create_checked = create;
  op.compute_checked = compute;
  op.first_version = [](const CustomOperator*) { return 1; };
  op.last_version = [](const CustomOperator*) { return 1; };
  return op;
}

// What sessions refer to: kept for ever, as the library is.
struct Domain {
  std::vector<TextOp> operators;
  OrtCustomOpDomain* domain = nullptr;
};

base::Result<const Domain*> make_domain(const Library& library) {
  const Api& api = library.api;
  auto made = std::make_unique<Domain>();
  TRY(check(api, api.create_custom_domain("ai.wherry", &made->domain), Phase::kLoading));
  for (const tftext::OperatorRow& row : tftext::operators())
    made->operators.push_back(operator_of(library, row));
  for (const TextOp& op : made->operators)
    TRY(check(api, api.add_custom_operator(made->domain, static_cast<const void*>(&op)), Phase::kLoading));
  return made.release();
}

}  // namespace

base::Status add_text_operators(const Library& library, OrtSessionOptions* options) {
  static const base::Result<const Domain*> domain = make_domain(library);  // of the one library there is
  if (!domain) return std::unexpected(domain.error());
  return check(library.api, library.api.add_custom_domain(options, (*domain)->domain), Phase::kLoading);
}

}  // namespace wherry::runtime
