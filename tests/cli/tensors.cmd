# Tensors in and out; needs onnxruntime.

$ wherry predict examples/tensors/pixels.onnx -o csv -i examples/tensors/pixels.json
