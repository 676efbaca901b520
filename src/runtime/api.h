// The part of ONNX Runtime's C interface which wherry uses (onnxruntime_c_api.h of
// github.com/microsoft/onnxruntime, MIT licence). OrtApi is a table of function pointers to which each
// release appends, so a number of a slot holds for ever: `Slots` names those of API version 20 (ONNX
// Runtime 1.20) that are called. Private to module runtime.
//
// Thread-safety: that of the C interface: everything may be called from any thread at once.
#pragma once

#include <cstddef>
#include <cstdint>

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtThreadingOptions;
struct OrtArenaCfg;
struct OrtAllocator;
struct OrtCustomOpDomain;
struct OrtKernelInfo;
struct OrtKernelContext;

namespace wherry::runtime {

inline constexpr std::uint32_t kApiVersion = 20;

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);  // null: newer than the library
  const char* (*version)();
};
using GetApiBase = const ApiBase* (*)();

// OrtErrorCode
enum class Failure : int {
  kFail = 1,
  kInvalidArgument = 2,
  kInvalidProtobuf = 7,
  kNotImplemented = 9,
  kInvalidGraph = 10,
};

// The slots by their numbers, as functions.
class Api {
 public:
  Api() = default;
  explicit Api(const void* const* table) : table_(table) {}

  template <std::size_t kSlot, class Function>
  Function slot() const {
    return reinterpret_cast<Function>(const_cast<void*>(table_[kSlot]));
  }

  using LogFunction = void (*)(void* param, int severity, const char* category, const char* id,
                               const char* location, const char* message);

#define WHERRY_ORT(number, name, result, ...)                              \
  template <class... A>                                                    \
  result name(A... arguments) const {                                      \
    return slot<number, result (*)(__VA_ARGS__) noexcept>()(arguments...); \
  }
  WHERRY_ORT(0, create_status, OrtStatus*, int, const char*)
  WHERRY_ORT(1, get_error_code, int, const OrtStatus*)
  WHERRY_ORT(2, get_error_message, const char*, const OrtStatus*)
  WHERRY_ORT(6, disable_telemetry, OrtStatus*, const OrtEnv*)
  WHERRY_ORT(8, create_session_from_array, OrtStatus*, const OrtEnv*, const void*, std::size_t,
             const OrtSessionOptions*, OrtSession**)
  WHERRY_ORT(9, run, OrtStatus*, OrtSession*, const OrtRunOptions*, const char* const*,
             const OrtValue* const*, std::size_t, const char* const*, std::size_t, OrtValue**)
  WHERRY_ORT(10, create_session_options, OrtStatus*, OrtSessionOptions**)
  WHERRY_ORT(17, disable_memory_pattern, OrtStatus*, OrtSessionOptions*)
  WHERRY_ORT(22, set_session_log_level, OrtStatus*, OrtSessionOptions*, int)
  WHERRY_ORT(23, set_optimization_level, OrtStatus*, OrtSessionOptions*, int)
  WHERRY_ORT(26, create_custom_domain, OrtStatus*, const char*, OrtCustomOpDomain**)
  WHERRY_ORT(27, add_custom_operator, OrtStatus*, OrtCustomOpDomain*, const void*)
  WHERRY_ORT(28, add_custom_domain, OrtStatus*, OrtSessionOptions*, OrtCustomOpDomain*)
  WHERRY_ORT(48, create_tensor, OrtStatus*, OrtAllocator*, const std::int64_t*, std::size_t, int, OrtValue**)
  WHERRY_ORT(49, create_tensor_with_data, OrtStatus*, const OrtMemoryInfo*, void*, std::size_t,
             const std::int64_t*, std::size_t, int, OrtValue**)
  WHERRY_ORT(50, is_tensor, OrtStatus*, const OrtValue*, int*)
  WHERRY_ORT(51, tensor_data, OrtStatus*, OrtValue*, void**)
  WHERRY_ORT(53, string_bytes, OrtStatus*, const OrtValue*, std::size_t*)
  WHERRY_ORT(54, string_content, OrtStatus*, const OrtValue*, void*, std::size_t, std::size_t*, std::size_t)
  WHERRY_ORT(60, element_type, OrtStatus*, const OrtTensorTypeAndShapeInfo*, int*)
  WHERRY_ORT(61, axes, OrtStatus*, const OrtTensorTypeAndShapeInfo*, std::size_t*)
  WHERRY_ORT(62, lengths, OrtStatus*, const OrtTensorTypeAndShapeInfo*, std::int64_t*, std::size_t)
  WHERRY_ORT(65, type_and_shape, OrtStatus*, const OrtValue*, OrtTensorTypeAndShapeInfo**)
  WHERRY_ORT(69, create_cpu_memory_info, OrtStatus*, int, int, OrtMemoryInfo**)
  WHERRY_ORT(78, default_allocator, OrtStatus*, OrtAllocator**)
  WHERRY_ORT(86, attribute_number, OrtStatus*, const OrtKernelInfo*, const char*, std::int64_t*)
  WHERRY_ORT(87, attribute_text, OrtStatus*, const OrtKernelInfo*, const char*, char*, std::size_t*)
  WHERRY_ORT(90, kernel_input, OrtStatus*, const OrtKernelContext*, std::size_t, const OrtValue**)
  WHERRY_ORT(91, kernel_output, OrtStatus*, OrtKernelContext*, std::size_t, const std::int64_t*, std::size_t,
             OrtValue**)
  WHERRY_ORT(92, release_env, void, OrtEnv*)
  WHERRY_ORT(93, release_status, void, OrtStatus*)
  WHERRY_ORT(94, release_memory_info, void, OrtMemoryInfo*)
  WHERRY_ORT(95, release_session, void, OrtSession*)
  WHERRY_ORT(96, release_value, void, OrtValue*)
  WHERRY_ORT(99, release_type_and_shape, void, OrtTensorTypeAndShapeInfo*)
  WHERRY_ORT(100, release_session_options, void, OrtSessionOptions*)
  WHERRY_ORT(120, disable_session_threads, OrtStatus*, OrtSessionOptions*)
  WHERRY_ORT(121, create_threading_options, OrtStatus*, OrtThreadingOptions**)
  WHERRY_ORT(122, release_threading_options, void, OrtThreadingOptions*)
  WHERRY_ORT(130, set_session_entry, OrtStatus*, OrtSessionOptions*, const char*, const char*)
  WHERRY_ORT(144, register_allocator, OrtStatus*, OrtEnv*, const OrtMemoryInfo*, const OrtArenaCfg*)
  WHERRY_ORT(147, set_intra_op_threads, OrtStatus*, OrtThreadingOptions*, int)
  WHERRY_ORT(148, set_inter_op_threads, OrtStatus*, OrtThreadingOptions*, int)
  WHERRY_ORT(149, set_spinning, OrtStatus*, OrtThreadingOptions*, int)
  WHERRY_ORT(151, create_env, OrtStatus*, LogFunction, void*, int, const char*, const OrtThreadingOptions*,
             OrtEnv**)
  WHERRY_ORT(157, release_arena_options, void, OrtArenaCfg*)
  WHERRY_ORT(164, create_arena_options, OrtStatus*, const char* const*, const std::size_t*, std::size_t,
             OrtArenaCfg**)
  WHERRY_ORT(210, add_external_initializers, OrtStatus*, OrtSessionOptions*, const char* const*,
             const OrtValue* const*, std::size_t)
  WHERRY_ORT(252, string_element_buffer, OrtStatus*, OrtValue*, std::size_t, std::size_t, char**)
#undef WHERRY_ORT

 private:
  const void* const* table_ = nullptr;
};

inline constexpr int kSilent = 4;          // ORT_LOGGING_LEVEL_FATAL
inline constexpr int kOptimizeAll = 99;    // ORT_ENABLE_ALL
inline constexpr int kArenaAllocator = 1;  // OrtArenaAllocator
inline constexpr int kDefaultMemory = 0;   // OrtMemTypeDefault

}  // namespace wherry::runtime
