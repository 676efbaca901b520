#!/usr/bin/env python3
"""Compares Keras with what `wherry convert` makes of its files.

  keras_layers.py make FOLDER [NAME…]            with a Python that has TensorFlow: saves a model per layer and option,
                                          with inputs and the outputs Keras gives
  keras_layers.py check FOLDER WHERRY [NAME…]    with a Python that has onnxruntime: converts each file, runs it, compares

The error allowed is 1e-5 of the tensor's largest value. Files named big_* have more than 50 layers: 1e-4. Those named half_* and
bfloat_* compute in 16 bits, which the framework rounds to inside of layers too: 4e-3 and 3e-2.
"""
import json
import os
import pathlib
import subprocess
import sys

# The scripts beside this one have names of packages.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def add(name, build):
    CASES[name] = build


def one(shape, *layers, dtype="float32", feed=None):
    """A case of layers in a row."""
    def build():
        i = keras.Input(shape, dtype=dtype)
        x = i
        for make in layers:
            x = make()(x)
        return keras.Model(i, x), feed
    return build


def declare():
    global keras, L, K, tf
    import tensorflow as tf
    import keras
    L, K = keras.layers, keras
    three = int(keras.__version__.split(".")[0]) >= 3
    img = (9, 7, 4)

    # Core and activations
    add("dense", one((5,), lambda: L.Dense(3, activation="relu"), lambda: L.Dense(2, use_bias=False)))
    add("dense_3d", one((None, 5), lambda: L.Dense(3, activation="tanh")))
    names = ["linear", "relu", "softmax", "elu", "selu", "softplus", "softsign", "tanh", "sigmoid", "exponential",
             "swish", "gelu", "hard_sigmoid", "mish"] + (
        ["relu6", "leaky_relu", "silu", "celu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus",
         "sparse_plus", "sparse_sigmoid", "log_sigmoid", "glu", "log_softmax", "hard_silu"] if three else [])
    for n in names:
        if hasattr(keras.activations, n):
            add(f"activation_{n}", one((6,), lambda n=n: L.Activation(n)))
            add(f"conv_activation_{n}", one(img, lambda n=n: L.Conv2D(4, 3, activation=n)))
    add("relu_layer", one((6,), lambda: L.ReLU()))
    add("relu_options", one((6,), lambda: L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2)))
    add("relu_slope", one((6,), lambda: L.ReLU(negative_slope=0.1)))
    add("relu_six", one((6,), lambda: L.ReLU(6.0)))
    add("leaky_relu", one((6,), lambda: L.LeakyReLU(), lambda: L.LeakyReLU(0.05)))
    add("elu_layer", one((6,), lambda: L.ELU(0.7)))
    add("prelu", one((4, 6), lambda: L.PReLU(), lambda: L.PReLU(shared_axes=[1])))
    add("softmax_layer", one((4, 6), lambda: L.Softmax(axis=1)))
    add("softmax_two_axes", one((4, 6), lambda: L.Softmax(axis=[1, 2])))
    if hasattr(L, "ThresholdedReLU"):
        add("thresholded_relu", one((6,), lambda: L.ThresholdedReLU(0.4)))
    add("activation_as_layer", one((6,), lambda: L.Dense(3, activation=L.LeakyReLU(0.1))))
    add("einsum_dense", one((4, 6), lambda: L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d", activation="relu")))
    add("einsum_dense_dots", one((4, 6), lambda: L.EinsumDense("...x,xy->...y", 5, bias_axes="y")))
    add("einsum_dense_odd", one((4, 6), lambda: L.EinsumDense("abc,bcde->ade", (2, 3), bias_axes="d")))
    add("embedding", one((6,), lambda: L.Embedding(5, 3), dtype="int32"))
    add("embedding_float", one((6,), lambda: L.Embedding(5, 3), feed=ints(6)))
    add("dropouts", one((4, 6), lambda: L.Dropout(.5), lambda: L.GaussianDropout(.5), lambda: L.GaussianNoise(.5),
                        lambda: L.SpatialDropout1D(.5), lambda: L.ActivityRegularization(.1), lambda: L.AlphaDropout(.1)))

    # Convolutions
    for pad in ("valid", "same"):
        for stride in (1, 2, 3):
            add(f"conv2d_{pad}_{stride}", one(img, lambda p=pad, s=stride: L.Conv2D(3, (3, 2), s, p)))
            add(f"conv2d_dynamic_{pad}_{stride}", one((None, None, 3), lambda p=pad, s=stride: L.Conv2D(3, (3, 2), s, p)))
            add(f"conv1d_{pad}_{stride}", one((11, 3), lambda p=pad, s=stride: L.Conv1D(4, 4, s, p)))
            add(f"conv3d_{pad}_{stride}", one((6, 5, 7, 2), lambda p=pad, s=stride: L.Conv3D(3, (2, 3, 2), s, p)))
            add(f"depthwise2d_{pad}_{stride}", one(img, lambda p=pad, s=stride: L.DepthwiseConv2D(3, s, p, depth_multiplier=2)))
            add(f"separable2d_{pad}_{stride}", one(img, lambda p=pad, s=stride: L.SeparableConv2D(5, 3, s, p, depth_multiplier=2)))
            add(f"transpose2d_{pad}_{stride}", one(img, lambda p=pad, s=stride: L.Conv2DTranspose(3, (3, 2), s, p)))
            add(f"transpose1d_{pad}_{stride}", one((9, 3), lambda p=pad, s=stride: L.Conv1DTranspose(3, 4, s, p)))
            add(f"transpose3d_{pad}_{stride}", one((3, 4, 3, 2), lambda p=pad, s=stride: L.Conv3DTranspose(3, 2, s, p)))
            add(f"transpose2d_dynamic_{pad}_{stride}", one((None, None, 3), lambda p=pad, s=stride: L.Conv2DTranspose(2, 4, s, p)))
        add(f"conv2d_dilated_{pad}", one((13, 12, 3), lambda p=pad: L.Conv2D(3, 3, padding=p, dilation_rate=(2, 3))))
        add(f"depthwise_dilated_{pad}", one((13, 12, 3), lambda p=pad: L.DepthwiseConv2D(3, padding=p, dilation_rate=2)))
        add(f"depthwise1d_{pad}", one((11, 3), lambda p=pad: L.DepthwiseConv1D(3, 2, p)))
        add(f"separable1d_{pad}", one((11, 3), lambda p=pad: L.SeparableConv1D(4, 3, 2, p)))
        add(f"transpose2d_output_padding_{pad}", one(img, lambda p=pad: L.Conv2DTranspose(3, 3, 3, p, output_padding=1)))
        add(f"transpose2d_wide_{pad}", one(img, lambda p=pad: L.Conv2DTranspose(2, 5, 2, p)))
        add(f"transpose2d_gap_{pad}", one(img, lambda p=pad: L.Conv2DTranspose(2, 1, 3, p)))
    add("conv1d_causal", one((11, 3), lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2)))
    add("conv1d_causal_dynamic", one((None, 3), lambda: L.Conv1D(4, 3, padding="causal")))
    add("separable1d_causal", one((11, 3), lambda: L.SeparableConv1D(4, 3, padding="causal")))
    add("conv2d_groups", one(img, lambda: L.Conv2D(6, 3, groups=2, use_bias=False)))

    # Pooling
    for pad in ("valid", "same"):
        for n, shape in ((1, (11, 3)), (2, img), (3, (6, 5, 7, 2))):
            for kind in ("Max", "Average"):
                add(f"{kind.lower()}_pool{n}d_{pad}", one(shape, lambda k=kind, n=n, p=pad: getattr(L, f"{k}Pooling{n}D")(3, 2, p)))
                add(f"{kind.lower()}_pool{n}d_{pad}_default", one(shape, lambda k=kind, n=n, p=pad: getattr(L, f"{k}Pooling{n}D")(padding=p)))
        add(f"max_pool2d_dynamic_{pad}", one((None, None, 3), lambda p=pad: L.MaxPooling2D(3, 2, p)))
        add(f"average_pool2d_dynamic_{pad}", one((None, None, 3), lambda p=pad: L.AveragePooling2D(3, 2, p)))
    for n, shape in ((1, (11, 3)), (2, img), (3, (6, 5, 7, 2))):
        for kind in ("GlobalMax", "GlobalAverage"):
            for keep in (False, True):
                add(f"{kind.lower()}{n}d_{keep}", one(shape, lambda k=kind, n=n, q=keep: getattr(L, f"{k}Pooling{n}D")(keepdims=q)))
        for kind in ("Max", "Average"):
            if hasattr(L, f"Adaptive{kind}Pooling{n}D"):
                add(f"adaptive_{kind.lower()}{n}d", one(shape, lambda k=kind, n=n: getattr(L, f"Adaptive{k}Pooling{n}D")(3)))

    # Normalisation
    for shape, tag in (((6,), "1"), ((4, 6), "2"), (img, "3")):
        add(f"batch_norm_{tag}", one(shape, lambda: L.BatchNormalization()))
        add(f"batch_norm_plain_{tag}", one(shape, lambda: L.BatchNormalization(scale=False, center=False, epsilon=1e-2)))
        add(f"layer_norm_{tag}", one(shape, lambda: L.LayerNormalization()))
        add(f"layer_norm_plain_{tag}", one(shape, lambda: L.LayerNormalization(scale=False, center=False)))
        add(f"layer_norm_no_center_{tag}", one(shape, lambda: L.LayerNormalization(center=False)))
        add(f"unit_norm_{tag}", one(shape, lambda: L.UnitNormalization()))
        add(f"group_norm_{tag}", one(shape, lambda: L.GroupNormalization(2)))
        add(f"group_norm_all_{tag}", one(shape, lambda: L.GroupNormalization(-1)))
        if hasattr(L, "RMSNormalization"):
            add(f"rms_norm_{tag}", one(shape, lambda: L.RMSNormalization()))
    add("batch_norm_axis", one(img, lambda: L.BatchNormalization(axis=1)))
    add("batch_norm_conv", one(img, lambda: L.Conv2D(3, 3), lambda: L.BatchNormalization(scale=False), lambda: L.ReLU()))
    add("layer_norm_axes", one(img, lambda: L.LayerNormalization(axis=[1, 2, 3])))
    add("layer_norm_axis", one(img, lambda: L.LayerNormalization(axis=[1, 3])))
    add("unit_norm_axes", one(img, lambda: L.UnitNormalization(axis=[1, 2])))
    add("group_norm_axis", one((6, 7, 4), lambda: L.GroupNormalization(3, axis=1)))
    if hasattr(L, "SpectralNormalization"):
        add("spectral", one((6,), lambda: L.SpectralNormalization(L.Dense(3))))
        add("spectral_conv", one(img, lambda: L.SpectralNormalization(L.Conv2D(3, 2))))

    # Reshaping
    add("reshape", one((4, 6), lambda: L.Reshape((3, 8)), lambda: L.Reshape((-1, 2)), lambda: L.Flatten()))
    add("reshape_dynamic", one((None, 6), lambda: L.Reshape((-1, 3))))
    add("flatten_dynamic", one((None, 6), lambda: L.Flatten()))
    add("permute", one(img, lambda: L.Permute((3, 1, 2))))
    add("repeat_vector", one((5,), lambda: L.RepeatVector(3)))
    add("zero_padding1d", one((5, 2), lambda: L.ZeroPadding1D((1, 2)), lambda: L.ZeroPadding1D(2)))
    add("zero_padding2d", one(img, lambda: L.ZeroPadding2D(((1, 2), (3, 0))), lambda: L.ZeroPadding2D((1, 2)), lambda: L.ZeroPadding2D(1)))
    add("zero_padding3d", one((3, 4, 5, 2), lambda: L.ZeroPadding3D(((1, 2), (0, 1), (2, 0)))))
    add("cropping1d", one((9, 2), lambda: L.Cropping1D((1, 2))))
    add("cropping2d", one(img, lambda: L.Cropping2D(((1, 2), (3, 0)))))
    add("cropping3d", one((5, 4, 5, 2), lambda: L.Cropping3D(((1, 2), (0, 1), (2, 0)))))
    add("upsampling1d", one((5, 2), lambda: L.UpSampling1D(3)))
    add("upsampling2d", one(img, lambda: L.UpSampling2D((2, 3))))
    add("upsampling2d_bilinear", one(img, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")))
    add("upsampling2d_dynamic", one((None, None, 3), lambda: L.UpSampling2D(2, interpolation="bilinear")))
    add("upsampling3d", one((3, 4, 2, 2), lambda: L.UpSampling3D((2, 1, 3))))
    add("channels_first_flatten", one((3, 4, 2), lambda: L.Flatten(data_format="channels_first")))
    add("channels_first_misc", one((3, 6, 5), lambda: L.ZeroPadding2D(1, data_format="channels_first"),
                                   lambda: L.Cropping2D((1, 0), data_format="channels_first"),
                                   lambda: L.GlobalAveragePooling2D(data_format="channels_first")))

    # Merging
    def merge(make, *shapes):
        def build():
            inputs = [keras.Input(s) for s in shapes]
            return keras.Model(inputs, make()(inputs)), None
        return build
    for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        add(f"merge_{kind.lower()}", merge(lambda k=kind: getattr(L, k)(), (4, 3), (4, 3), (4, 3)))
        add(f"merge_broadcast_{kind.lower()}", merge(lambda k=kind: getattr(L, k)(), (4, 3), (1, 3)))
    add("merge_subtract", merge(lambda: L.Subtract(), (4, 3), (4, 3)))
    add("merge_concat", merge(lambda: L.Concatenate(), (4, 3), (4, 2)))
    add("merge_concat_axis", merge(lambda: L.Concatenate(axis=1), (4, 3), (2, 3)))
    add("merge_dot", merge(lambda: L.Dot(axes=1), (4,), (4,)))
    add("merge_dot_axes", merge(lambda: L.Dot(axes=(2, 1)), (5, 4), (4, 3)))
    add("merge_dot_normalized", merge(lambda: L.Dot(axes=2, normalize=True), (5, 4), (3, 4)))

    # Recurrent layers
    for kind in ("LSTM", "GRU", "SimpleRNN"):
        layer = lambda kind=kind, **k: getattr(L, kind)(3, **k)
        low = kind.lower()
        add(f"{low}", one((6, 4), layer))
        add(f"{low}_sequences", one((None, 4), lambda f=layer: f(return_sequences=True)))
        add(f"{low}_backwards", one((6, 4), lambda f=layer: f(return_sequences=True, go_backwards=True)))
        add(f"{low}_backwards_last", one((6, 4), lambda f=layer: f(go_backwards=True)))
        add(f"{low}_no_bias", one((6, 4), lambda f=layer: f(use_bias=False)))
        add(f"{low}_relu", one((6, 4), lambda f=layer: f(activation="relu")))
        add(f"{low}_elu", one((6, 4), lambda f=layer: f(activation="elu", return_sequences=True)))
        add(f"{low}_unroll", one((6, 4), lambda f=layer: f(unroll=True)))
        add(f"{low}_masked", one((6, 4), lambda: L.Masking(), lambda f=layer: f(return_sequences=True), feed=holes))
        add(f"{low}_masked_last", one((6, 4), lambda: L.Masking(), lambda f=layer: f(), feed=holes))
        add(f"{low}_masked_backwards", one((6, 4), lambda: L.Masking(), lambda f=layer: f(return_sequences=True, go_backwards=True), feed=holes))
        add(f"{low}_embedding", one((6,), lambda: L.Embedding(5, 4, mask_zero=True), lambda f=layer: f(return_sequences=True), lambda: L.Dense(2), dtype="int32"))
        add(f"{low}_bidirectional", one((6, 4), lambda f=layer: L.Bidirectional(f(return_sequences=True))))
        add(f"{low}_bidirectional_last", one((6, 4), lambda f=layer: L.Bidirectional(f())))
        add(f"{low}_bidirectional_masked", one((6, 4), lambda: L.Masking(), lambda f=layer: L.Bidirectional(f(return_sequences=True)), feed=holes))
        for mode in ("sum", "mul", "ave"):
            add(f"{low}_bidirectional_{mode}", one((6, 4), lambda f=layer, m=mode: L.Bidirectional(f(return_sequences=True), merge_mode=m)))

        def states(f=layer):
            i = keras.Input((6, 4))
            out = f(return_sequences=True, return_state=True)(i)
            y = f()(out[0], initial_state=out[1:])
            return keras.Model(i, [y, *out]), None
        add(f"{low}_states", states)

        def both(f=layer):
            i = keras.Input((6, 4))
            return keras.Model(i, L.Bidirectional(f(return_sequences=True, return_state=True), merge_mode=None)(i)), None
        add(f"{low}_bidirectional_states", both)
    add("lstm_hard_sigmoid", one((6, 4), lambda: L.LSTM(3, recurrent_activation="hard_sigmoid")))
    add("gru_before", one((6, 4), lambda: L.GRU(3, reset_after=False, return_sequences=True)))
    add("gru_before_no_bias", one((6, 4), lambda: L.GRU(3, reset_after=False, use_bias=False)))
    add("gru_before_elu", one((6, 4), lambda: L.GRU(3, reset_after=False, activation="elu")))
    add("rnn_stacked", one((6, 4), lambda: L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True)))
    add("rnn_stacked_masked", one((6, 4), lambda: L.Masking(), lambda: L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True), feed=holes))
    add("rnn_cell", one((6, 4), lambda: L.RNN(L.LSTMCell(3))))
    for n, shape in ((1, (4, 6, 2)), (2, (4, 6, 5, 2)), (3, (3, 4, 5, 3, 2))):
        add(f"conv_lstm{n}d", one(shape, lambda n=n: getattr(L, f"ConvLSTM{n}D")(3, 2)))
        add(f"conv_lstm{n}d_sequences", one(shape, lambda n=n: getattr(L, f"ConvLSTM{n}D")(2, 3, padding="same", return_sequences=True)))
    add("time_distributed", one((6, 9, 7, 4), lambda: L.TimeDistributed(L.Conv2D(3, 3)), lambda: L.TimeDistributed(L.Flatten()), lambda: L.LSTM(2)))
    add("time_distributed_dynamic", one((None, 4), lambda: L.TimeDistributed(L.Dense(3))))
    add("average_masked", one((6,), lambda: L.Embedding(5, 4, mask_zero=True), lambda: L.GlobalAveragePooling1D(), dtype="int32", feed=ints(6, first=1)))

    # Attention
    def attend(make, masked=False, three_inputs=False, **call):
        def build():
            if masked:
                a, b = keras.Input((5,), dtype="int32"), keras.Input((6,), dtype="int32")
                q, v = L.Embedding(5, 4, mask_zero=True)(a), L.Embedding(5, 4, mask_zero=True)(b)
            else:
                a = q = keras.Input((5, 4))
                b = v = keras.Input((6, 4))
            y = make()([q, v] + ([L.Dense(4)(v)] if three_inputs else []), **call)
            y = list(y) if isinstance(y, (list, tuple)) else y
            return keras.Model([a, b], y), None
        return build

    def heads(make, masked=False, key=False, **call):
        def build():
            if masked:
                a, b = keras.Input((5,), dtype="int32"), keras.Input((6,), dtype="int32")
                q, v = L.Embedding(5, 4, mask_zero=True)(a), L.Embedding(5, 4, mask_zero=True)(b)
            else:
                a = q = keras.Input((5, 4))
                b = v = keras.Input((6, 4))
            more = {"key": L.Dense(4)(v)} if key else {}
            y = make()(q, v, **more, **call)
            y = list(y) if isinstance(y, (list, tuple)) else y
            return keras.Model([a, b], y), None
        return build
    for masked in (False, True):
        m = "_masked" if masked else ""
        add(f"attention{m}", attend(lambda: L.Attention(), masked))
        add(f"attention_causal{m}", attend(lambda: L.Attention(), masked, use_causal_mask=True))
        add(f"attention_scale{m}", attend(lambda: L.Attention(use_scale=True), masked, True))
        add(f"attention_concat{m}", attend(lambda: L.Attention(score_mode="concat", use_scale=True), masked))
        add(f"attention_scores{m}", attend(lambda: L.Attention(), masked, return_attention_scores=True))
        add(f"additive{m}", attend(lambda: L.AdditiveAttention(), masked))
        add(f"additive_no_scale{m}", attend(lambda: L.AdditiveAttention(use_scale=False), masked))
        add(f"mha{m}", heads(lambda: L.MultiHeadAttention(2, 3), masked))
        add(f"mha_key{m}", heads(lambda: L.MultiHeadAttention(2, 3, value_dim=5, use_bias=False), masked, True))
        add(f"mha_causal{m}", heads(lambda: L.MultiHeadAttention(2, 3), masked, use_causal_mask=True))
        add(f"mha_scores{m}", heads(lambda: L.MultiHeadAttention(2, 3), masked, return_attention_scores=True))
        add(f"mha_output{m}", heads(lambda: L.MultiHeadAttention(2, 3, output_shape=7, dropout=0.1), masked))
        name = "GroupQueryAttention"
        if hasattr(L, name):
            add(f"gqa{m}", heads(lambda: L.GroupQueryAttention(3, 4, 2), masked))

    def mha_2d():
        i = keras.Input((4, 5, 6))
        return keras.Model(i, L.MultiHeadAttention(2, 3, attention_axes=(1, 2))(i, i)), None
    add("mha_2d", mha_2d)

    # Preprocessing
    add("rescaling", one((4,), lambda: L.Rescaling(1 / 127.5, offset=-1)))
    add("rescaling_uint8", one((4, 4, 3), lambda: L.Rescaling(1 / 255.0), dtype="uint8"))
    if three:
        add("rescaling_list", one((4, 4, 3), lambda: L.Rescaling([.1, .2, .3], offset=[1., 2., 3.])))
    add("normalization", one((3,), lambda: L.Normalization(mean=[1., 2., 3.], variance=[4., 5., 6.])))
    add("normalization_invert", one((3,), lambda: L.Normalization(mean=2., variance=4., axis=None, invert=True)))

    def adapted(make, data, dtype="float32", shape=None, feed=None):
        def build():
            layer = make()
            layer.adapt(data)
            i = keras.Input(shape or data.shape[1:], dtype=dtype)
            return keras.Model(i, layer(i)), feed
        build.assets = True
        return build
    rng = np.random.default_rng(3)
    add("normalization_adapted", adapted(lambda: L.Normalization(), rng.normal(size=(20, 3)).astype("float32")))
    add("normalization_axes", adapted(lambda: L.Normalization(axis=(1, 2)), rng.normal(size=(20, 3, 2)).astype("float32")))
    add("normalization_scalar", adapted(lambda: L.Normalization(axis=None), rng.normal(size=(20, 3)).astype("float32")))
    for mode in ("int", "one_hot", "multi_hot", "count"):
        shape = (1,) if mode == "one_hot" else (4,)
        add(f"discretization_{mode}", one(shape, lambda m=mode: L.Discretization([-1., 0., .5], output_mode=m)))
        if mode != "int":
            add(f"category_{mode}", one(shape, lambda m=mode: L.CategoryEncoding(5, output_mode=m), dtype="int32"))
        words = np.array(["a", "bb", "c", "d"])
        if mode != "one_hot":
            add(f"string_lookup_{mode}", one((3,), lambda m=mode: L.StringLookup(vocabulary=["a", "bb", "c"], output_mode=m), dtype="string", feed=texts(words, 3)))
            add(f"integer_lookup_{mode}", one((3,), lambda m=mode: L.IntegerLookup(vocabulary=[1, 3, 7], output_mode=m), dtype="int64"))
    add("string_lookup_adapted", adapted(lambda: L.StringLookup(), np.array([["a"], ["b"], ["a"], ["é"]]), "string", (2,), texts(["a", "b", "é", "x"], 2)))
    add("string_lookup_mask", one((3,), lambda: L.StringLookup(vocabulary=["a", "bb"], mask_token=""), dtype="string", feed=texts(["a", "bb", "", "z"], 3)))
    add("string_lookup_invert", one((3,), lambda: L.StringLookup(vocabulary=["a", "bb"], invert=True), dtype="int64"))
    add("integer_lookup_adapted", adapted(lambda: L.IntegerLookup(), np.array([[5], [9], [5], [2]]), "int64", (2,)))
    add("text_split", adapted(lambda: L.TextVectorization(standardize=None), np.array(["one two", "two three"]), "string", (1,), texts(["one two", "three  x one", "two"], 1)))
    add("text_split_length", adapted(lambda: L.TextVectorization(standardize=None, output_sequence_length=4), np.array(["one two", "two three"]), "string", (1,), texts(["one two", "three  x one two one", "two"], 1)))
    sentences = ["The cat, the hat!", " \tA  cat? é ", "", "one", "THE the The CAT sat on: a mat"]
    words = ["the", "cat", "a", "the cat", "é"]
    for tag, options in {
        "plain": {}, "lower": {"standardize": "lower"}, "strip": {"standardize": "strip_punctuation"}, "ngrams": {"ngrams": 3},
        "ngram_widths": {"ngrams": (1, 3)}, "short": {"output_sequence_length": 3}, "long": {"output_sequence_length": 9, "ngrams": 2},
        "multi_hot": {"output_mode": "multi_hot"}, "count": {"output_mode": "count", "ngrams": 2},
        "tf_idf": {"output_mode": "tf_idf", "idf_weights": [1., 2., 3., 4., 5.]},
        "padded": {"output_mode": "count", "max_tokens": 12, "pad_to_max_tokens": True},
        "whole": {"split": None}, "whole_length": {"split": None, "output_sequence_length": 2}, "whole_count": {"split": None, "output_mode": "count"},
        "characters": {"split": "character", "vocabulary": ["t", " ", "é", "c"]},
        "character_count": {"split": "character", "vocabulary": ["t", " ", "é", "c"], "output_mode": "count"},
    }.items():
        add(f"text_{tag}", one((1,), lambda o=options: L.TextVectorization(**{"vocabulary": words, **o}), dtype="string", feed=texts(sentences, 1)))
    add("text_scalar", one((), lambda: L.TextVectorization(vocabulary=words), dtype="string", feed=texts(sentences, 1)))
    for mode in ("int", "count", "tf_idf"):
        add(f"text_{mode}_adapted", adapted(lambda m=mode: L.TextVectorization(output_mode=m, max_tokens=6), np.array(sentences), "string", (1,), texts(sentences, 1)))
        add(f"string_lookup_{mode}_adapted", adapted(lambda m=mode: L.StringLookup(output_mode=m), np.array([["a", "b"], ["a", "é"]]), "string", (3,), texts(["a", "b", "é", "x"], 3)))
    for mode in ("int", "one_hot", "multi_hot", "count"):
        shape = (1,) if mode == "one_hot" else (3,)
        n = shape[0]
        letters = ["a", "bb", "", "z", "zz"]
        add(f"hashing_{mode}", one(shape, lambda m=mode: L.Hashing(5, output_mode=m), dtype="string", feed=texts(letters, n)))
        add(f"hashing_mask_{mode}", one(shape, lambda m=mode: L.Hashing(5, mask_value="", output_mode=m), dtype="string", feed=texts(letters, n)))
        add(f"hashing_salt_{mode}", one(shape, lambda m=mode: L.Hashing(5, salt=[7, 9], output_mode=m), dtype="string", feed=texts(letters, n)))
        add(f"hashing_integers_{mode}", one(shape, lambda m=mode: L.Hashing(5, mask_value=2, output_mode=m), dtype="int64"))
        add(f"string_lookup_spread_{mode}", one(shape, lambda m=mode: L.StringLookup(vocabulary=["a"], num_oov_indices=3, output_mode=m), dtype="string", feed=texts(letters, n)))
        add(f"string_lookup_masked_{mode}", one(shape, lambda m=mode: L.StringLookup(vocabulary=["a"], mask_token="", output_mode=m), dtype="string", feed=texts(letters, n)))
        add(f"integer_lookup_spread_{mode}", one(shape, lambda m=mode: L.IntegerLookup(vocabulary=[1, 3], num_oov_indices=3, mask_token=0, output_mode=m), dtype="int64"))
    add("string_lookup_known", one((3,), lambda: L.StringLookup(vocabulary=["a", "bb"], num_oov_indices=0), dtype="string", feed=texts(["a", "bb"], 3)))
    add("integer_lookup_invert", one((3,), lambda: L.IntegerLookup(vocabulary=[1, 3], invert=True), dtype="int64"))

    def crossing(mode):
        def build():
            a, b, c = keras.Input((1,), dtype="int64"), keras.Input((1,), dtype="int64"), keras.Input((1,), dtype="int32")
            return keras.Model([a, b, c], L.HashedCrossing(7, output_mode=mode)([a, L.StringLookup(vocabulary=["u", "v", "w"], invert=True)(b), c])), None
        return build
    for mode in ("int", "one_hot"):
        add(f"string_lookup_crossing_{mode}", crossing(mode))

    # Dtype policies
    for policy, tag in (("mixed_float16", "half_mixed"), ("float16", "half_pure"), ("mixed_bfloat16", "bfloat_mixed"), ("bfloat16", "bfloat_pure"), ("float64", "double")):
        def build_in(policy, shape, *layers, dtype="float32", feed=None):
            def build():
                keras.mixed_precision.set_global_policy(policy) if not three else keras.config.set_dtype_policy(policy)
                try:
                    return one(shape, *layers, dtype=dtype, feed=feed)()
                finally:
                    keras.mixed_precision.set_global_policy("float32") if not three else keras.config.set_dtype_policy("float32")
            return build
        add(f"{tag}_dense", build_in(policy, (5,), lambda: L.Dense(4, activation="relu"), lambda: L.Dense(3, activation="softmax")))
        add(f"{tag}_norms", build_in(policy, (4, 6), lambda: L.LayerNormalization(), lambda: L.BatchNormalization(), lambda: L.GroupNormalization(2), lambda: L.UnitNormalization()))
        add(f"{tag}_embedding", build_in(policy, (6,), lambda: L.Embedding(5, 4, mask_zero=True), lambda: L.LSTM(3, return_sequences=True), lambda: L.GRU(3), dtype="int32"))
        add(f"{tag}_recurrent", build_in(policy, (6, 4), lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)), lambda: L.TimeDistributed(L.Dense(2)), lambda: L.SimpleRNN(2)))
        add(f"{tag}_rescaling", build_in(policy, (4, 4, 3), lambda: L.Rescaling(1 / 255.0), lambda: L.Normalization(mean=.5, variance=4.), dtype="uint8"))
        add(f"{tag}_conv", build_in(policy, img, lambda: L.Conv2D(4, 3, activation="relu"), lambda: L.BatchNormalization(), lambda: L.MaxPooling2D(), lambda: L.Flatten(), lambda: L.Dense(2)))
        add(f"{tag}_activations", build_in(policy, (4, 6), lambda: L.ELU(), lambda: L.LeakyReLU(), lambda: L.Activation("gelu"), lambda: L.Activation("softplus"), lambda: L.PReLU(), lambda: L.Softmax()))
        add(f"{tag}_attention", build_in(policy, (5, 4), lambda: SelfAttention(), lambda: L.GlobalAveragePooling1D()))
    add("resizing_bilinear", one((9, 7, 3), lambda: L.Resizing(5, 11)))
    add("resizing_up", one((4, 5, 3), lambda: L.Resizing(9, 13)))
    add("resizing_dynamic", one((None, None, 3), lambda: L.Resizing(6, 8)))
    add("resizing_nearest", one((9, 7, 3), lambda: L.Resizing(5, 11, interpolation="nearest")))
    for how in ("bilinear", "bicubic", "nearest", "lanczos3", "lanczos5"):
        for tag, size in (("down", (5, 4)), ("up", (13, 10)), ("mixed", (4, 11))):
            for antialias in ((False, True) if three else (False,)):
                more = {"antialias": True} if antialias else {}
                add(f"resizing_{how}_{tag}_{antialias}", one((9, 7, 3), lambda h=how, s=size, m=more: L.Resizing(*s, interpolation=h, **m)))
        if how != "nearest":
            add(f"upsampling2d_{how}", one(img, lambda h=how: L.UpSampling2D((2, 3), interpolation=h)))
    if not three:
        for how in ("area", "gaussian", "mitchellcubic"):
            add(f"resizing_{how}", one((9, 7, 3), lambda h=how: L.Resizing(5, 11, interpolation=h)))
    for tag, size in (("wide", (4, 9)), ("high", (8, 3)), ("up", (12, 17))):
        add(f"resizing_crop_{tag}", one((9, 7, 3), lambda s=size: L.Resizing(*s, crop_to_aspect_ratio=True)))
        if three:
            add(f"resizing_pad_{tag}", one((9, 7, 3), lambda s=size: L.Resizing(*s, pad_to_aspect_ratio=True, fill_value=2.0, interpolation="bicubic")))
    add("resizing_uint8", one((9, 7, 3), lambda: L.Resizing(5, 11), dtype="uint8"))
    add("resizing_first", one((3, 9, 7), lambda: L.Resizing(5, 11, interpolation="bicubic", data_format="channels_first")) if three else one((9, 7, 3), lambda: L.Resizing(5, 11)))
    add("center_crop_small", one((9, 4, 3), lambda: L.CenterCrop(6, 8)))
    add("center_crop", one((9, 8, 3), lambda: L.CenterCrop(4, 5)))
    add("augmentation", one((8, 8, 3), lambda: L.RandomFlip(), lambda: L.RandomRotation(.1), lambda: L.RandomZoom(.1), lambda: L.RandomContrast(.1), lambda: L.RandomTranslation(.1, .1), lambda: L.RandomBrightness(.1)))

    # Networks
    def sequential():
        return keras.Sequential([keras.Input(img), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(3, activation="softmax")]), None
    add("sequential", sequential)

    def sequential_built():
        m = keras.Sequential([L.Dense(3), L.BatchNormalization(), L.Dense(2)])
        m.build((None, 5))
        return m, None
    add("sequential_built", sequential_built)

    def nested():
        inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.BatchNormalization(), L.Dense(4)])
        a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
        own, first = keras.Sequential([keras.Input((4,)), L.Dense(3), L.Dense(4)]), keras.Input((4,))
        tail = keras.Model(first, [own(first), first])
        one_, two_ = tail(b)
        y = L.Add()([inner(a), inner(b)])
        z = inner(y)
        return keras.Model([a, b], [L.Dense(2, name="top")(z), L.Concatenate(name="cat")([one_, two_, y])]), None
    add("nested", nested)

    def frozen():
        inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.BatchNormalization(), L.Dense(4)])
        inner.layers[0].trainable = False
        i = keras.Input((4,))
        return keras.Model(i, L.Dense(2)(inner(i))), None
    add("frozen", frozen)

    def dictionary():
        a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
        shared = L.Dense(4)
        y = L.Multiply()([shared(a), L.Dense(4)(b)])
        return keras.Model({"a": a, "b": b}, {"sum": L.Dense(1)(y), "all": shared(y)}), None
    add("dictionary", dictionary)

    def unet():
        i = keras.Input((16, 12, 3))
        a = L.Conv2D(4, 3, padding="same", activation="relu")(i)
        b = L.BatchNormalization()(L.Conv2D(6, 3, padding="same")(L.MaxPooling2D()(a)))
        c = L.Conv2DTranspose(4, 2, 2, "same")(L.ReLU()(b))
        d = L.Concatenate()([a, c])
        return keras.Model(i, L.Conv2D(1, 1, activation="sigmoid")(d)), None
    add("unet", unet)

    def squeeze_excite():
        i = keras.Input((8, 8, 4))
        x = L.Conv2D(6, 3, padding="same", activation="swish")(i)
        s = L.Reshape((1, 1, 6))(L.GlobalAveragePooling2D()(x))
        s = L.Conv2D(6, 1, activation="sigmoid")(L.Conv2D(2, 1, activation="swish")(s))
        return keras.Model(i, L.Add()([i, L.Conv2D(4, 1)(L.Multiply()([x, s]))])), None
    add("squeeze_excite", squeeze_excite)

    def transformer():
        i = keras.Input((7,), dtype="int32")
        x = L.Embedding(5, 8, mask_zero=True)(i)
        y = L.MultiHeadAttention(2, 4)(x, x)
        x = L.LayerNormalization()(L.Add()([x, y]))
        y = L.Dense(8)(L.Dense(16, activation="gelu")(x))
        x = L.LayerNormalization()(L.Add()([x, y]))
        return keras.Model(i, L.Dense(2)(L.GlobalAveragePooling1D()(x))), ints(7, first=1)
    add("transformer", transformer)

    def masked_merge(kind):
        def build():
            a, b = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
            x, y = L.Embedding(5, 4, mask_zero=True)(a), L.Embedding(5, 4, mask_zero=True)(b)
            return keras.Model([a, b], L.LSTM(3)(getattr(L, kind)()([x, y]))), None
        return build
    for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        add(f"masked_{kind.lower()}", masked_merge(kind))

    def operators():
        a, b = keras.Input((4, 3)), keras.Input((4, 3))
        y = (a + b) * 2 - a / (b * b + 1.5) + (-a) ** 2
        y = 1 - y
        z = y[:, 1:, ::-1]
        return keras.Model([a, b], [y, z, y[:, 0], y[..., None] if three else y[:, :, :, None], y[:, -1, 1:2]]), None
    add("operators", operators)

    def functions():
        i = keras.Input((4, 3))
        if three:
            o = keras.ops
            x = o.concatenate([o.relu(i), o.abs(i)], axis=-1)
            x = o.transpose(o.reshape(x, (-1, 3, 8)), (0, 2, 1))
            m = o.mean(x, axis=1, keepdims=True)
            x = o.where(x > 0.1, x - m, o.exp(-o.square(x)))
            s = o.softmax(o.matmul(x, o.transpose(x, (0, 2, 1))))
            x = o.einsum("abc,acd->abd", s, x)
            outs = [x, o.sum(x, axis=-1), o.max(x, axis=(1, 2)), o.clip(x, 0.1, 0.7), o.stack([x, x], axis=1),
                    o.expand_dims(x, 1), o.squeeze(m, 1), o.argmax(x, axis=-1), o.var(x, axis=1), o.std(x, axis=1),
                    o.cast(x > 0, "float32"), o.log(o.abs(x) + 1), o.sqrt(o.abs(x)), o.tanh(x), o.sigmoid(x),
                    o.silu(x), o.gelu(x), o.minimum(x, 0.2), o.maximum(x, m), o.repeat(x, 2, axis=1), o.tile(x, (1, 2, 1)),
                    o.take(x, [0, 2, 1], axis=-1), o.one_hot(o.argmax(x, axis=-1), 3), o.pad(x, [[0, 0], [1, 1], [0, 2]]),
                    o.power(o.abs(x), 1.5), o.floor(x), o.sign(x), o.flip(x, axis=1), o.logsumexp(x, axis=-1),
                    o.norm(x, axis=-1), o.cumsum(x, axis=1), o.log1p(o.abs(x)), o.zeros_like(x), o.rsqrt(o.abs(x) + 1)]
            outs += list(o.split(x, 2, axis=1))
        else:
            x = tf.concat([tf.nn.relu(i), tf.abs(i)], axis=-1)
            x = tf.transpose(tf.reshape(x, (-1, 3, 8)), (0, 2, 1))
            m = tf.reduce_mean(x, axis=1, keepdims=True)
            x = tf.where(x > 0.1, x - m, tf.exp(-tf.square(x)))
            s = tf.nn.softmax(tf.matmul(x, x, transpose_b=True))
            x = tf.matmul(s, x)
            outs = [x, tf.reduce_sum(x, axis=-1), tf.reduce_max(x, axis=(1, 2)), tf.clip_by_value(x, 0.1, 0.7),
                    tf.stack([x, x], axis=1), tf.expand_dims(x, 1), tf.squeeze(m, 1), tf.argmax(x, axis=-1),
                    tf.math.reduce_variance(x, axis=1), tf.math.reduce_std(x, axis=1), tf.cast(x > 0, "float32"),
                    tf.math.log(tf.abs(x) + 1), tf.sqrt(tf.abs(x)), tf.tanh(x), tf.sigmoid(x), tf.nn.silu(x),
                    tf.nn.gelu(x), tf.minimum(x, 0.2), tf.maximum(x, m), tf.repeat(x, 2, axis=1), tf.tile(x, (1, 2, 1)),
                    tf.gather(x, [0, 2, 1], axis=-1), tf.one_hot(tf.argmax(x, axis=-1), 3), tf.pad(x, [[0, 0], [1, 1], [0, 2]]),
                    tf.pow(tf.abs(x), 1.5), tf.floor(x), tf.sign(x), tf.reverse(x, axis=[1]), tf.reduce_logsumexp(x, axis=-1),
                    tf.norm(x, axis=-1), tf.cumsum(x, axis=1), tf.math.log1p(tf.abs(x)), tf.zeros_like(x),
                    tf.math.rsqrt(tf.abs(x) + 1), tf.math.l2_normalize(x, axis=-1), tf.math.squared_difference(x, m)]
            outs += list(tf.split(x, 2, axis=1))
            shape = tf.shape(i)
            outs.append(tf.reshape(i, tf.stack([shape[0], 12])))
        return keras.Model(i, outs), None
    add("functions", functions)

    # Applications, with random weights
    apps = keras.applications
    for name, size in (("MobileNetV2", 64), ("ResNet50", 64), ("EfficientNetB0", 64), ("DenseNet121", 64),
                       ("NASNetMobile", 64), ("ConvNeXtTiny", 64), ("MobileNetV3Small", 64), ("Xception", 75),
                       ("InceptionV3", 75), ("VGG16", 32), ("EfficientNetV2B0", 64), ("ResNet50V2", 64)):
        if hasattr(apps, name):
            def build(name=name, size=size):
                return getattr(apps, name)(weights=None, input_shape=(size, size, 3), include_top=name not in ("NASNetMobile", "VGG16")), None
            add(f"big_{name}", build)


class SelfAttention:
    def __call__(self, x):
        return L.MultiHeadAttention(2, 3)(x, x)


def tolerance(name):
    return next((t for start, t in (("big_", 1e-4), ("half_", 4e-3), ("bfloat_", 3e-2)) if name.startswith(start)), 1e-5)


def ints(n, first=0):
    return lambda shape, rng: rng.integers(first, 5, size=shape).astype("int32") * (np.arange(shape[-1]) < (n - rng.integers(0, 3, size=(shape[0], 1))) if first else 1)


def texts(words, n):
    return lambda shape, rng: np.array(words, dtype=object)[rng.integers(0, len(words), size=shape)]


def holes(shape, rng):
    x = rng.normal(size=shape).astype("float32")
    x[rng.random(shape[:2]) < 0.4] = 0
    return x


def randomise(model, rng, gentle):
    for weight in model.weights:
        name = getattr(weight, "path", weight.name)
        shape = tuple(weight.shape)
        if "int" in str(weight.dtype):
            continue
        if "variance" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif gentle:
            fan = max(1, int(np.prod(shape[:-1])))
            if "gamma" in name:
                value = rng.uniform(0.8, 1.2, shape)
            else:
                value = rng.normal(size=shape) * (1.2 / np.sqrt(fan) if len(shape) > 1 else 0.1)
        else:
            value = rng.normal(size=shape) * 0.5
        weight.assign(value.astype("float32"))


def make(folder, wanted):
    declare()
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in CASES.items():
        if wanted and not any(w in name for w in wanted):
            continue
        keras.backend.clear_session()
        rng = np.random.default_rng(abs(hash(name)) % 1000 if False else len(name))
        try:
            model, feed = build()
        except Exception as error:  # an option this version lacks
            print(f"{name}: not made: {str(error)[:150]!r}")
            continue
        if "adapted" not in name and not name.startswith(("normalization", "text", "integer", "string")):
            randomise(model, rng, name.startswith("big_"))
        record = {}
        try:
            for batch in (1, 7):
                inputs = []
                for tensor in model.inputs:
                    shape = (batch, *(n if n is not None else 6 + k for k, n in enumerate(tuple(tensor.shape)[1:])))
                    dtype = getattr(tensor.dtype, "name", tensor.dtype)
                    if feed is not None:
                        value = feed(shape, rng)
                        if dtype != "string":
                            value = value.astype(dtype)
                    elif "int" in dtype:
                        value = rng.integers(0, 5, size=shape).astype(dtype)
                    else:
                        value = rng.normal(size=shape).astype(dtype)
                    inputs.append(value)
                given = [tf.constant(v) for v in inputs]
                if not isinstance(model, keras.Sequential) and isinstance(model.input, dict):
                    result = model(dict(zip(model.input.keys(), given)), training=False)
                else:
                    result = model(given[0] if len(given) == 1 else given, training=False)
                if isinstance(result, dict):
                    outputs = {str(k): v for k, v in result.items()}
                else:
                    outputs = {str(k): v for k, v in enumerate(result if isinstance(result, (list, tuple)) else [result])}
                for k, v in enumerate(inputs):
                    record[f"{batch}/in/{k}"] = v.astype(str) if v.dtype == object else v
                for k, v in outputs.items():
                    v = np.asarray(v)
                    v = v.astype("float32") if v.dtype.name == "bfloat16" else v
                    record[f"{batch}/out/{k}"] = np.char.decode(v.astype(bytes), "utf8") if v.dtype == object else v
            forms = ["keras"] if getattr(build, "assets", False) else ["keras", "h5"]
            for form in forms:
                try:
                    model.save(folder / f"{name}.{form}") if form != "h5" else model.save(folder / f"{name}.h5", save_format="h5") if int(keras.__version__[0]) < 3 else model.save(folder / f"{name}.h5")
                except Exception as error:
                    print(f"{name}.{form}: not saved: {str(error)[:100]!r}")
            np.savez(folder / f"{name}.npz", **record)
        except Exception as error:
            print(f"{name}: not run: {str(error)[:150]!r}")


def asked(wherry, path, inputs):
    """Names and values of the outputs, by the command line: for operators of wherry's own and for bfloat16, which numpy has not."""
    described = json.loads(subprocess.run([*wherry.split(), "inspect", path, "--quiet", "--output", "json"], capture_output=True, text=True, check=True).stdout)
    names = [t["name"] for t in described["signature"]["tensors"]]
    request = json.dumps({"inputs": {name: value.tolist() for name, value in zip(names, inputs, strict=True)}})
    done = subprocess.run([*wherry.split(), "predict", path, "--quiet", "--input", "-"], input=request, capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip()[-300:])
    answer = json.loads(done.stdout)["outputs"]
    names = [o["name"] for o in described["outputs"]]
    return names, [np.array(answer[name]) for name in names]


BY_COMMAND = ("text", "hashing", "string_lookup", "bfloat")


def run(wherry, path, target, inputs):
    import onnxruntime as ort
    if path.name.startswith(BY_COMMAND):
        return asked(wherry, path, inputs)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(target.as_posix(), options, providers=["CPUExecutionProvider"])
    feed = {node.name: v.astype(object) if v.dtype.kind == "U" else v for node, v in zip(session.get_inputs(), inputs, strict=True)}
    return [o.name for o in session.get_outputs()], session.run(None, feed)


def check(folder, wherry, wanted):
    import onnxruntime as ort
    ort.set_default_logger_severity(3)
    good, worst, refused, wrong = 0, (0, ""), [], []
    for path in sorted([*folder.glob("*.keras"), *folder.glob("*.h5")]):
        if wanted and not any(w in path.name for w in wanted):
            continue
        record = np.load(folder / f"{path.stem}.npz")
        target = folder / "model.onnx"
        target.unlink(missing_ok=True)
        verb = ["inspect", path] if path.name.startswith(BY_COMMAND) else ["convert", path, "-o", target]
        done = subprocess.run([*wherry.split(), *verb], capture_output=True, text=True)
        if done.returncode != 0:
            refused.append(f"{path.name}: {done.stderr.strip()[-300:]}")
            continue
        try:
            error = 0.0
            for batch in (1, 7):
                count = sum(k.startswith(f"{batch}/in/") for k in record.files)
                names, results = run(wherry, path, target, [record[f"{batch}/in/{k}"] for k in range(count)])
                keys = sorted((k.split("/", 2)[2] for k in record.files if k.startswith(f"{batch}/out/")),
                              key=lambda k: (0, int(k)) if k.isdigit() else (1, k))
                if len(keys) != len(results):
                    raise ValueError(f"{len(results)} outputs instead of {len(keys)}")
                for position, key in enumerate(keys):
                    want = record[f"{batch}/out/{key}"]
                    got = results[position if key.isdigit() else names.index(key)]
                    if want.shape != got.shape:
                        raise ValueError(f"output {key}: shape {got.shape} instead of {want.shape}")
                    if want.dtype.kind == "U":
                        error = max(error, float((want != got.astype(str)).any()))
                        continue
                    if path.name.startswith(BY_COMMAND):
                        got = got.astype(want.dtype)
                    if want.dtype != got.dtype:
                        raise ValueError(f"output {key}: {got.dtype} instead of {want.dtype}")
                    scale = max(float(np.abs(want.astype("float64")).max(initial=0)), 1e-30)
                    both = np.abs(want.astype("float64") - got.astype("float64"))
                    error = max(error, float(both.max(initial=0)) / scale if np.isfinite(both).all() else 9.0)
            if error > tolerance(path.name):
                wrong.append(f"{path.name}: error {error:.2e}")
            else:
                good += 1
                if tolerance(path.name) <= 1e-5:
                    worst = max(worst, (error, path.name))
        except Exception as problem:
            wrong.append(f"{path.name}: {str(problem)[:400]}")
    print(*[f"REFUSED {r}" for r in refused], *[f"WRONG {w}" for w in wrong], sep="\n")
    print(f"{good} agree (worst {worst[0]:.2e}, {worst[1]}), {len(wrong)} differ, {len(refused)} refused")
    return 1 if wrong or refused else 0


if __name__ == "__main__":
    mode, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    sys.exit(make(folder, sys.argv[3:]) if mode == "make" else check(folder, sys.argv[3], sys.argv[4:]))
