# Tensors in and out; needs onnxruntime.

$ wherry predict examples/tensors/pixels.onnx -i examples/tensors/pixels.json
{"outputs":{"probabilities":[[0.10196938,0.89475286,0.0032778003]]}}

$ wherry predict examples/tensors/words.onnx -i examples/tensors/words.json -m words
{"outputs":{"words":[3,2]}}

$ wherry predict examples/tensors/words.onnx -i examples/tensors/words.json -o table
vector: FP32 [2, 4]
  -0.0833333 0.125 0 0.458333
  0.5 -0.375 -0.375 0.1875
words: INT64 [2]
  3 2

$ echo '{"inputs": [{"name": "pixels", "shape": [1, 1, 4, 4], "datatype": "FP32", "data": [0,0,0,0,0,1,1,0,0,1,1,0,0,0,0,0]}]}' | wherry predict examples/tensors/pixels.onnx
{"model_name":"pixels","outputs":[{"name":"probabilities","datatype":"FP32","shape":[1,3],"data":[0.10196938,0.89475286,0.0032778003]}]}

$ echo '[[[[1, 2, 3, 4]]]]' | wherry predict examples/tensors/pixels.onnx
error: input 'pixels' has shape [1, 1, 1, 4]; the model takes [batch, 1, 4, 4] (in standard input) [protocol.bad_shape]
hint: send the lengths which the model's metadata show; -1 and names stand for any length
[exit 1]

$ echo '{"pixels": 7}' | wherry predict examples/tensors/pixels.onnx
error: input 'pixels': a number stands where a list is expected; the input has 4 axes (in standard input) [protocol.bad_shape]
hint: send lists in lists, one level per axis of the input
[exit 1]

$ echo '{"pictures": []}' | wherry predict examples/tensors/pixels.onnx
error: the model has no input 'pictures' (in standard input) [protocol.unknown_column]
hint: its inputs are 'pixels'
[exit 1]

$ echo 'a,b' > rows.csv; wherry predict examples/tensors/pixels.onnx -i rows.csv
error: CSV holds rows of columns, but the model takes tensors (in rows.csv) [protocol.bad_form]
hint: send {"inputs": {"pixels": […]}} with nested lists
[exit 1]

$ wherry predict examples/tensors/pixels.onnx -i examples/tensors/pixels.json -o csv
error: tensors do not fit into CSV [cli.usage]
hint: use --output json or table
[exit 2]

$ wherry predict examples/tensors/pixels.onnx --text hello
error: the model takes tensors, not one text [cli.usage]
hint: give them with --input; `wherry inspect` shows the inputs
[exit 2]

$ python3 -c 'import struct; h = b"{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: (1, 1, 4, 4), }\n"; open("zeros.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(h)) + h + bytes(64))'; wherry predict examples/tensors/pixels.onnx -i zeros.npy
{"outputs":{"probabilities":[[0.52931654,0.22065195,0.2500314]]}}

$ python3 -c 'import zipfile; zipfile.ZipFile("zeros.npz", "w").write("zeros.npy", "pixels.npy")'; wherry predict examples/tensors/pixels.onnx -i zeros.npz
{"outputs":{"probabilities":[[0.52931654,0.22065195,0.2500314]]}}

$ python3 -c 'import zipfile; zipfile.ZipFile("other.npz", "w").write("zeros.npy", "pixls.npy")'; wherry predict examples/tensors/pixels.onnx -i other.npz
error: the model has no input 'pixls' (in other.npz) [protocol.unknown_column]
hint: did you mean 'pixels'?
[exit 1]

$ wherry inspect examples/tensors/words.onnx | grep -A 6 '^input'
input: 2 tensors; requests are joined along the first axis
  ids   int64     [batch, length]
  mask  bool      [batch, length]

output:
  vector              float32 [-1, 4]
  words               int64 [-1]
