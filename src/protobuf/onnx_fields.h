// Numbers of the fields of onnx.proto3 (github.com/onnx/onnx/blob/v1.15.0/onnx/onnx.proto3), for whoever
// reads or writes ONNX models.
#pragma once

#include <cstdint>

namespace wherry::protobuf::onnx {

namespace model_field {
inline constexpr std::uint32_t kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kDescription = 6,
                               kGraph = 7, kOpsetImport = 8, kMetadata = 14, kTraining = 20, kFunctions = 25;
}
namespace opset_field {
inline constexpr std::uint32_t kDomain = 1, kVersion = 2;
}
namespace graph_field {
inline constexpr std::uint32_t kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12,
                               kValueInfo = 13, kQuantization = 14, kSparseInitializer = 15;
}
namespace node_field {
inline constexpr std::uint32_t kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5, kDomain = 7;
}
namespace attribute_field {
inline constexpr std::uint32_t kName = 1, kFloat = 2, kInt = 3, kString = 4, kTensor = 5, kGraph = 6,
                               kFloats = 7, kInts = 8, kStrings = 9, kTensors = 10, kGraphs = 11, kType = 20;
}
namespace attribute_type {
inline constexpr std::uint64_t kFloat = 1, kInt = 2, kString = 3, kTensor = 4, kGraph = 5, kFloats = 6,
                               kInts = 7, kStrings = 8;
}
namespace function_field {
inline constexpr std::uint32_t kName = 1, kNode = 7, kDomain = 10;
}
namespace tensor_field {
inline constexpr std::uint32_t kDims = 1, kDataType = 2, kFloatData = 4, kInt32Data = 5, kStringData = 6,
                               kInt64Data = 7, kName = 8, kRawData = 9, kDoubleData = 10, kUint64Data = 11,
                               kExternalData = 13, kDataLocation = 14;
}
namespace entry_field {  // StringStringEntryProto
inline constexpr std::uint32_t kKey = 1, kValue = 2;
}
namespace value_info_field {
inline constexpr std::uint32_t kName = 1, kType = 2;
}
namespace type_field {  // TypeProto, its Tensor, TensorShapeProto and its Dimension
inline constexpr std::uint32_t kTensor = 1, kElement = 1, kShape = 2, kDim = 1, kDimValue = 1, kDimParam = 2;
}

}  // namespace wherry::protobuf::onnx
