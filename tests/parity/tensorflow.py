#!/usr/bin/env python3
"""SavedModels of one TensorFlow version, served by ONNX Runtime after `wherry convert`, against TensorFlow itself.

    TF_PYTHON    tests/parity/tensorflow.py make FOLDER [NAME …]     saves models, records what their signatures answer
    ONNX_PYTHON  tests/parity/tensorflow.py check FOLDER [NAME …] [--convert 'COMMAND {model} {onnx} {signature}']

`make` needs tensorflow (and keras), `check` numpy, onnx and onnxruntime. A case fails when a value differs by more than
1e-5 of the tensor's largest one (1e-4 for networks of more than 50 layers); strings and integers must be equal.
"""
import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np

CASES = {}
NETWORKS = {"mobilenet_v2": ("MobileNetV2", 96), "mobilenet_v3": ("MobileNetV3Small", 96), "resnet50": ("ResNet50", 65),
            "efficientnet_b0": ("EfficientNetB0", 67), "efficientnet_v2": ("EfficientNetV2B0", 64),
            "convnext": ("ConvNeXtTiny", 64), "densenet": ("DenseNet121", 64), "xception": ("Xception", 96)}
DEEP = {*NETWORKS, "unet"}


def case(function):
    CASES[function.__name__] = function
    return function


# --- what is saved: each case gives (save, inputs per batch size)

def numbers(*shape, low=-2.0, high=2.0, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def keras_model(model, *inputs):
    """A Keras model; `inputs` are functions of the batch size, in the order of the model's inputs."""
    import keras

    def save(folder):
        for weight in model.weights:  # statistics and biases away from 0 and 1
            value = np.asarray(weight)
            if value.dtype.kind == "f" and value.ndim == 1:
                weight.assign(numbers(*value.shape, low=0.4, high=1.6, seed=value.size))
        if keras.__version__.startswith("2"):
            model.save(folder, save_format="tf", include_optimizer=False)
        else:
            model.export(folder, verbose=False)

    return save, list(inputs)


def image(height, width, channels):
    return lambda batch: numbers(batch, height, width, channels, seed=batch)


def sequence(steps, features):
    return lambda batch: numbers(batch, steps, features, seed=batch)


def tokens(length, vocabulary, dtype=np.int32):
    return lambda batch: np.random.default_rng(batch).integers(0, vocabulary, (batch, length)).astype(dtype)


def sequential(shape, *layers):
    import keras
    return keras.Sequential([keras.Input(shape), *layers])


@case
def mlp():
    from keras import layers
    return keras_model(sequential(
        (9,), layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5),
        layers.Dense(12, activation="gelu"), layers.LayerNormalization(), layers.Dense(12, activation="swish"),
        layers.Dense(8, activation="elu"), layers.Dense(8, activation="selu"), layers.Dense(8, activation="softplus"),
        layers.Dense(8, activation="tanh"), layers.LeakyReLU(), layers.PReLU(), layers.Dense(5, activation="softmax")),
        lambda n: numbers(n, 9, seed=n))


@case
def cnn_paddings():
    import keras
    from keras import layers
    x = keras.Input((13, 15, 3))
    parts = []
    for padding in ("same", "valid"):
        for kernel, strides, dilation in ((3, 1, 1), (3, 2, 1), (2, 1, 1), (2, 2, 1), (5, 3, 1), (3, 1, 2), (4, 2, 1), ((1, 3), (2, 1), 1)):
            y = layers.Conv2D(4, kernel, strides=strides, dilation_rate=dilation, padding=padding, activation="relu")(x)
            parts.append(layers.GlobalAveragePooling2D()(y))
            parts.append(layers.GlobalMaxPooling2D()(y))
        parts.append(layers.Flatten()(layers.Conv2D(6, 3, groups=3, padding=padding)(x)))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(13, 15, 3))


@case
def cnn_dynamic():
    import keras
    from keras import layers
    x = keras.Input((None, None, 3))
    parts = []
    for kernel, strides in ((3, 1), (3, 2), (2, 2), (5, 3)):
        for padding in ("same", "valid"):
            y = layers.Conv2D(4, kernel, strides=strides, padding=padding)(x)
            y = layers.MaxPooling2D(3, strides=2, padding="same")(y)
            y = layers.AveragePooling2D(2, padding="same")(y)
            parts.append(layers.GlobalAveragePooling2D()(y))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(21, 34, 3))


@case
def depthwise():
    import keras
    from keras import layers
    x = keras.Input((11, 12, 4))
    parts = []
    for padding in ("same", "valid"):
        for strides in (1, 2):
            parts.append(layers.Flatten()(layers.DepthwiseConv2D(3, strides=strides, padding=padding, depth_multiplier=2)(x)))
            parts.append(layers.Flatten()(layers.SeparableConv2D(5, 3, strides=strides, padding=padding)(x)))
    parts.append(layers.Flatten()(layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(11, 12, 4))


@case
def transposed():
    import keras
    from keras import layers
    x = keras.Input((5, 6, 3))
    parts = []
    for padding in ("same", "valid"):
        for kernel, strides in ((3, 1), (3, 2), (2, 2), (4, 2), (2, 3), (5, 3)):
            parts.append(layers.Flatten()(layers.Conv2DTranspose(4, kernel, strides=strides, padding=padding)(x)))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(5, 6, 3))


@case
def transposed_dynamic():
    import keras
    from keras import layers
    x = keras.Input((None, None, 3))
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    z = layers.Conv2DTranspose(4, 3, strides=2, padding="valid")(x)
    return keras_model(keras.Model(x, [y, z]), image(5, 6, 3))


@case
def conv1d():
    from keras import layers
    return keras_model(sequential(
        (17, 3), layers.Conv1D(6, 3, padding="causal", dilation_rate=2), layers.Conv1D(6, 4, strides=2, padding="same"),
        layers.MaxPooling1D(2, padding="same"), layers.AveragePooling1D(2), layers.SeparableConv1D(4, 2, padding="same"),
        layers.ZeroPadding1D(1), layers.UpSampling1D(2), layers.Cropping1D(1), layers.Flatten()), sequence(17, 3))


@case
def conv3d():
    from keras import layers
    return keras_model(sequential(
        (7, 8, 9, 2), layers.Conv3D(4, 3, padding="same"), layers.MaxPooling3D(2, padding="same"),
        layers.Conv3D(3, 2, strides=2), layers.AveragePooling3D(1), layers.Conv3DTranspose(2, 3, strides=2, padding="same"),
        layers.GlobalAveragePooling3D()), lambda n: numbers(n, 7, 8, 9, 2, seed=n))


@case
def pooling():
    import keras
    from keras import layers
    x = keras.Input((11, 14, 3))
    parts = []
    for padding in ("same", "valid"):
        for pool, strides in ((2, None), (3, 2), (3, 1), (2, 3), ((3, 2), (1, 2))):
            parts.append(layers.Flatten()(layers.MaxPooling2D(pool, strides, padding)(x)))
            parts.append(layers.Flatten()(layers.AveragePooling2D(pool, strides, padding)(x)))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(11, 14, 3))


@case
def resizing():
    import keras
    from keras import layers
    x = keras.Input((7, 9, 3))
    parts = [layers.Flatten()(layers.UpSampling2D((2, 3), interpolation=how)(x)) for how in ("nearest", "bilinear")]
    for how in ("nearest", "bilinear", "bicubic"):
        parts.append(layers.Flatten()(layers.Resizing(10, 5, interpolation=how)(x)))
        parts.append(layers.Flatten()(layers.Resizing(4, 13, interpolation=how)(x)))
    parts.append(layers.Flatten()(layers.ZeroPadding2D(((1, 2), (0, 3)))(x)))
    parts.append(layers.Flatten()(layers.Cropping2D(((1, 2), (0, 3)))(x)))
    parts.append(layers.Flatten()(layers.Rescaling(1 / 127.5, offset=-1)(x)))
    parts.append(layers.Flatten()(layers.CenterCrop(4, 5)(x)))
    return keras_model(keras.Model(x, layers.Concatenate()(parts)), image(7, 9, 3))


@case
def merging():
    import keras
    from keras import layers
    a, b = keras.Input((6, 4), name="left"), keras.Input((6, 4), name="right")
    parts = [layers.Add()([a, b]), layers.Subtract()([a, b]), layers.Multiply()([a, b]), layers.Average()([a, b]),
             layers.Maximum()([a, b]), layers.Minimum()([a, b])]
    y = layers.Concatenate(axis=-1)(parts)
    y = layers.Permute((2, 1))(y)
    y = layers.Reshape((12, -1))(y)
    z = layers.Dot(axes=2, normalize=True)([a, b])
    r = layers.RepeatVector(3)(layers.Flatten()(a))
    return keras_model(keras.Model([a, b], {"joined": y, "dots": z, "repeated": r}),
                       sequence(6, 4), lambda n: numbers(n, 6, 4, seed=n + 50))


def recurrent(kind, **options):
    import keras
    from keras import layers
    x = keras.Input((None, 5) if options.pop("dynamic", False) else (8, 5))
    layer = getattr(layers, kind)
    last = layer(6, **options)(x)
    every = layer(6, return_sequences=True, **options)(x)
    back = layer(4, go_backwards=True, return_sequences=True, **options)(x)
    both = layers.Bidirectional(layer(3, return_sequences=True, **options))(x)
    ends = layers.Bidirectional(layer(3, **options))(x)
    return keras_model(keras.Model(x, [last, every, back, both, ends]), sequence(8, 5))


@case
def lstm():
    return recurrent("LSTM")


@case
def lstm_dynamic():
    return recurrent("LSTM", dynamic=True)


@case
def lstm_custom():
    return recurrent("LSTM", recurrent_activation="hard_sigmoid", activation="relu", use_bias=False)


@case
def gru():
    return recurrent("GRU")


@case
def gru_before():
    return recurrent("GRU", reset_after=False)


@case
def simple_rnn():
    return recurrent("SimpleRNN")


@case
def lstm_states():
    import keras
    from keras import layers
    x = keras.Input((7, 4))
    y, h, c = layers.LSTM(5, return_state=True, return_sequences=True)(x)
    z, g = layers.GRU(5, return_state=True)(y)
    return keras_model(keras.Model(x, [y, h, c, z, g]), sequence(7, 4))


@case
def lstm_masked():
    import keras
    from keras import layers
    x = keras.Input((9,), dtype="int32")
    y = layers.Embedding(20, 6, mask_zero=True)(x)
    y = layers.LSTM(5, return_sequences=True)(y)
    y = layers.GRU(4)(y)

    def padded(batch):
        ids = np.random.default_rng(batch).integers(1, 20, (batch, 9)).astype(np.int32)
        for row in range(batch):
            ids[row, 4 + row % 5:] = 0
        return ids

    return keras_model(keras.Model(x, layers.Dense(2)(y)), padded)


@case
def lstm_stacked_text():
    from keras import layers
    return keras_model(sequential(
        (None,), layers.Embedding(30, 8), layers.LSTM(6, return_sequences=True), layers.TimeDistributed(layers.Dense(4)),
        layers.GlobalMaxPooling1D(), layers.Dense(3, activation="softmax")), tokens(11, 30, np.float32))


@case
def conv_lstm():
    import keras
    from keras import layers
    x = keras.Input((4, 6, 7, 2))
    return keras_model(keras.Model(x, layers.ConvLSTM2D(3, 3, padding="same")(x)),
                       lambda n: numbers(n, 4, 6, 7, 2, seed=n))


@case
def attention():
    import keras
    from keras import layers
    x = keras.Input((10, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.LayerNormalization()(layers.Add()([x, y]))
    z = layers.Dense(16, activation="gelu")(y)
    z = layers.LayerNormalization()(layers.Add()([y, layers.Dense(8)(z)]))
    w = layers.Attention(use_scale=True)([x, z])
    v = layers.AdditiveAttention()([x, z])
    u = layers.MultiHeadAttention(2, 3)(x, z, use_causal_mask=True)
    return keras_model(keras.Model(x, [z, w, v, u]), sequence(10, 8))


@case
def transformer():
    import tensorflow as tf
    import keras
    from keras import layers
    tokens_in = keras.Input((None,), dtype="int32")

    class Positions(layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(64, 16)

        def call(self, x):
            return x + self.table(tf.range(tf.shape(x)[1]))

    y = Positions()(layers.Embedding(50, 16)(tokens_in))
    for _ in range(2):
        a = layers.MultiHeadAttention(4, 4)(y, y)
        y = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([y, a]))
        f = layers.Dense(16)(layers.Dense(32, activation="relu")(y))
        y = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([y, f]))
    y = layers.GlobalAveragePooling1D()(y)
    return keras_model(keras.Model(tokens_in, layers.Dense(3, activation="softmax")(y)), tokens(12, 50))


def network(name, size):
    import keras
    made = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
    return keras_model(made, image(size, size, 3))


@case
def unet():
    import keras
    from keras import layers
    x = keras.Input((32, 32, 3))
    skips, y = [], x
    for filters in (8, 16):
        y = layers.Conv2D(filters, 3, padding="same")(y)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("relu")(y)
        skips.append(y)
        y = layers.MaxPooling2D()(y)
    y = layers.Conv2D(24, 3, padding="same", activation="relu")(y)
    for filters, skip in ((16, skips[1]), (8, skips[0])):
        y = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(y)
        y = layers.Concatenate()([y, skip])
        y = layers.SpatialDropout2D(0.2)(y)
        y = layers.Conv2D(filters, 3, padding="same", activation="relu")(y)
    return keras_model(keras.Model(x, layers.Conv2D(1, 1, activation="sigmoid")(y)), image(32, 32, 3))


CITIES = ["Zürich", "Rīga", "東京", "Lima", ""]


def words(vocabulary, seed):
    def draw(batch):
        choice = np.random.default_rng(seed + batch).integers(0, len(vocabulary) + 1, (batch, 1))
        known = np.array([*vocabulary, "unknown"], dtype=object)
        return known[choice]
    return draw


@case
def recommender():
    import keras
    from keras import layers
    city, item = keras.Input((1,), dtype="string", name="city"), keras.Input((1,), dtype="int64", name="item")
    a = layers.StringLookup(vocabulary=CITIES[:4], mask_token=None)(city)
    b = layers.IntegerLookup(vocabulary=[3, 5, 8, 13, 1000000007], mask_token=None)(item)
    a = layers.Flatten()(layers.Embedding(5, 6)(a))
    b = layers.Flatten()(layers.Embedding(6, 6)(b))
    return keras_model(
        keras.Model({"city": city, "item": item}, layers.Dot(axes=1, normalize=True)([layers.Dense(4)(a), layers.Dense(4)(b)])),
        words(CITIES, 3),
        lambda n: np.random.default_rng(n).choice(np.array([3, 5, 8, 13, 1000000007, 4]), (n, 1)).astype(np.int64))


@case
def preprocessing():
    import keras
    from keras import layers
    x = keras.Input((4,))
    normal = layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 0.25])(x)
    buckets = layers.Discretization(bin_boundaries=[-1.0, 0.0, 0.5, 1.0])(x)
    ids = keras.Input((3,), dtype="int64")
    hot = layers.CategoryEncoding(num_tokens=6, output_mode="multi_hot")(ids)
    counts = layers.CategoryEncoding(num_tokens=6, output_mode="count")(ids)
    return keras_model(keras.Model([x, ids], [normal, buckets, hot, counts]),
                       lambda n: numbers(n, 4, seed=n), tokens(3, 6, np.int64))


# --- tf.Module: one op each, and TensorFlow's own control flow

def module(function, *specs, batch=(1, 7)):
    """`specs`: (shape with None for the batch, dtype, [low, high])."""
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(shape, dtype, name=f"x{i}") for i, (shape, dtype, *_) in enumerate(specs)])
        def call(self, *arguments):
            result = function(*arguments)
            if isinstance(result, dict):
                return result
            result = result if isinstance(result, (list, tuple)) else [result]
            return {f"y{i}": y for i, y in enumerate(result)}

    def save(folder):
        made = Module()
        tf.saved_model.save(made, folder, signatures=made.call)

    def draw(shape, dtype, *bounds, seed):
        def one(n):
            lengths = [n if each is None else each for each in shape]
            low, high = bounds if bounds else (-2, 3)
            if dtype == bool:
                return np.random.default_rng(seed + n).integers(0, 2, lengths).astype(bool)
            if np.issubdtype(np.dtype(dtype), np.integer):
                return np.random.default_rng(seed + n).integers(low, high, lengths).astype(dtype)
            return numbers(*lengths, low=low, high=high, seed=seed + n, dtype=dtype)
        return one

    return save, [draw(*spec, seed=31 * i) for i, spec in enumerate(specs)]


F, I, L, B = np.float32, np.int32, np.int64, bool


def single_ops():
    import tensorflow as tf
    raw = tf.raw_ops
    x = ((None, 4, 5), F)
    positive = ((None, 4, 5), F, 0.1, 3.0)
    unit = ((None, 4, 5), F, -0.9, 0.9)
    ints = ((None, 4, 5), I, -9, 9)
    nonzero = ((None, 4, 5), I, 1, 9)
    flags = ((None, 4, 5), B)
    picture = ((None, 9, 7, 4), F)
    rows = {}
    for name in ("abs negative exp sin cos tan sinh cosh asinh tanh sigmoid square softplus softsign sign round rint floor "
                 "ceil erf erfc zeros_like ones_like expm1 is_nan is_inf is_finite").split():
        function = getattr(tf.math, name, None) or getattr(tf.nn, name, None) or getattr(tf, name, None)
        rows[name] = (function, x)
    for name in ("log", "sqrt", "rsqrt", "reciprocal", "log1p"):
        rows[name] = (getattr(tf.math, name), positive)
    for name in ("asin", "acos", "atan", "atanh"):
        rows[name] = (getattr(tf.math, name), unit)
    rows["acosh"] = (tf.math.acosh, ((None, 3), F, 1.1, 4.0))
    rows["log1p_tiny"] = (tf.math.log1p, ((None, 8), F, 1e-9, 1e-7))
    rows["expm1_tiny"] = (tf.math.expm1, ((None, 8), F, -1e-7, 1e-7))
    for name in ("relu", "relu6", "elu", "selu", "leaky_relu", "gelu", "silu", "softmax", "log_softmax", "crelu"):
        rows[name] = (getattr(tf.nn, name), ((None, 4, 5), F, -8, 8))
    for name in ("add subtract multiply maximum minimum squared_difference greater greater_equal less less_equal equal "
                 "not_equal atan2").split():
        rows[name] = (getattr(tf.math, name), x, ((4, 1), F))
    rows["divide"] = (tf.math.divide, x, positive)
    rows["pow"] = (tf.math.pow, positive, unit)
    rows["floordiv_real"] = (tf.math.floordiv, x, ((5,), F, 0.3, 1.7))
    rows["floormod_real"] = (tf.math.floormod, x, ((None, 4, 5), F, -1.7, -0.3))
    rows["floordiv_int"] = (lambda a, b: tf.math.floordiv(a, -b), ints, nonzero)
    rows["floormod_int"] = (lambda a, b: tf.math.floormod(a, -b), ints, nonzero)
    rows["truncatediv_int"] = (lambda a, b: tf.truncatediv(a, -b), ints, nonzero)
    rows["truncatemod_int"] = (lambda a, b: tf.truncatemod(a, -b), ints, nonzero)
    rows["div_no_nan"] = (lambda a, b: tf.math.divide_no_nan(a, tf.cast(b, tf.float32)), x, ((None, 4, 5), I, 0, 2))
    rows["mul_no_nan"] = (lambda a, b: tf.math.multiply_no_nan(a, tf.cast(b, tf.float32)), x, ((None, 4, 5), I, 0, 2))
    rows["xlogy"] = (lambda a, b: tf.math.xlogy(tf.cast(a, tf.float32), b), ((None, 4, 5), I, 0, 2), positive)
    rows["xdivy"] = (lambda a, b: tf.math.xdivy(tf.cast(a, tf.float32), b), ((None, 4, 5), I, 0, 2), positive)
    rows["maximum_int"] = (tf.math.maximum, ints, nonzero)
    rows["maximum_int8"] = (lambda a: tf.cast(tf.maximum(tf.cast(a, tf.int8), tf.constant(3, tf.int8)), tf.int32), ints)
    for name in ("logical_and", "logical_or"):
        rows[name] = (getattr(tf.math, name), flags, flags)
    rows["logical_not"] = (tf.math.logical_not, flags)
    rows["logical_xor"] = (tf.math.logical_xor, flags, flags)
    rows["bitwise"] = (lambda a, b: (tf.bitwise.bitwise_and(a, b), tf.bitwise.bitwise_or(a, b), tf.bitwise.bitwise_xor(a, b), tf.bitwise.invert(a)), ints, nonzero)
    rows["shifts"] = (lambda a: (tf.bitwise.left_shift(tf.cast(a, tf.uint8), tf.constant(2, tf.uint8)), tf.bitwise.right_shift(tf.cast(a, tf.uint8), tf.constant(1, tf.uint8))), nonzero)
    rows["cast"] = (lambda a: [tf.cast(a, t) for t in (tf.int32, tf.int64, tf.float64, tf.bool, tf.int8)], x)
    rows["cast_back"] = (lambda a, b: [tf.cast(a, tf.float32), tf.cast(b, tf.float32), tf.cast(b, tf.int32)], ints, flags)
    rows["select"] = (lambda c, a, b: tf.where(c, a, b), flags, x, ((5,), F))
    rows["select_v1"] = (lambda c, a, b: raw.Select(condition=c, x=a, y=b), ((None,), B), x, x)
    rows["select_bool"] = (lambda c, a, b: tf.where(c, a, b), flags, flags, flags)
    rows["clip"] = (lambda a: (tf.clip_by_value(a, -0.5, 0.75), raw.ClipByValue(t=a, clip_value_min=-0.5, clip_value_max=0.75)), x)
    rows["add_n"] = (lambda a, b: tf.add_n([a, b, a]), x, x)
    rows["bias_add"] = (lambda a, b: tf.nn.bias_add(a, b), picture, ((4,), F))
    rows["bias_add_flat"] = (lambda a, b: tf.nn.bias_add(a, b), ((None, 4), F), ((4,), F))
    # shapes
    rows["shape"] = (lambda a: (tf.shape(a), tf.size(a), tf.rank(a), tf.shape(a, out_type=tf.int64)), x)
    rows["reshape_dynamic"] = (lambda a: tf.reshape(a, [tf.shape(a)[0], -1]), x)
    rows["reshape_double"] = (lambda a: tf.reshape(a, [tf.shape(a)[0] * 2, 2, 5]), x)
    rows["expand_squeeze"] = (lambda a: (tf.expand_dims(a, -1), tf.squeeze(tf.expand_dims(a, 1), [1]), tf.expand_dims(a, 0)), x)
    rows["transpose"] = (lambda a: (tf.transpose(a, [2, 0, 1]), tf.transpose(a)), x)
    rows["concat"] = (lambda a, b: (tf.concat([a, b], 1), tf.concat([a, b, a], -1)), x, x)
    rows["pack_unpack"] = (lambda a: (tf.stack([a, a + 1], 1), *tf.unstack(a, axis=1)), x)
    rows["split"] = (lambda a: (*tf.split(a, 2, axis=1), *tf.split(a, [2, 3], axis=2), *tf.split(a, [1, -1], axis=2)), x)
    rows["slice"] = (lambda a: (tf.slice(a, [0, 1, 2], [-1, 2, 3]), tf.slice(a, [0, 1, 0], [1, -1, 4])), x)
    rows["strided"] = (lambda a: (a[:, 1], a[..., -1], a[:, ::2, 1:-1], a[:, :, ::-1], a[0], a[:, tf.newaxis, 2:3], a[..., tf.newaxis], a[:, -3:-1, 0],
                                  a[:, 3:0:-2], a[-1:, ..., 2]), x)
    rows["strided_dynamic"] = (lambda a, i: (a[:, i], a[:, i:], a[:, :i + 1, 1:], a[:, i, ..., tf.newaxis]), x, ((), I, 0, 4))
    rows["tile"] = (lambda a: (tf.tile(a, [1, 2, 3]), tf.tile(a, [tf.shape(a)[0], 1, 1])), x)
    rows["fill"] = (lambda a: (tf.fill([tf.shape(a)[0], 3], 2.5), tf.zeros([tf.shape(a)[0], 2]), tf.ones_like(a)), x)
    rows["broadcast"] = (lambda a, b: (tf.broadcast_to(b, tf.shape(a)), tf.broadcast_dynamic_shape(tf.shape(a), tf.shape(b))), x, ((5,), F))
    rows["range"] = (lambda a: (tf.range(tf.shape(a)[0]), tf.range(1, 10, 3), tf.range(5.0, 0.0, -1.5), tf.linspace(0.0, 1.0, 7)), x)
    rows["reverse"] = (lambda a: (tf.reverse(a, [1]), tf.reverse(a, [0, 2])), x)
    rows["reverse_sequence"] = (lambda a, n: tf.reverse_sequence(a, n, seq_axis=1, batch_axis=0), x, ((None,), I, 1, 5))
    rows["pad"] = (lambda a: (tf.pad(a, [[0, 0], [1, 2], [0, 3]]), tf.pad(a, [[0, 0], [1, 2], [0, 3]], constant_values=1.5)), x)
    rows["mirror_pad"] = (lambda a: (tf.pad(a, [[0, 0], [1, 2], [2, 3]], "REFLECT"), tf.pad(a, [[0, 0], [1, 2], [0, 5]], "SYMMETRIC")), x)
    rows["roll"] = (lambda a: (tf.roll(a, 2, 1), tf.roll(a, [-1, 7], [1, 2])), x)
    rows["space_depth"] = (lambda a: (tf.nn.space_to_depth(a, 2), tf.nn.depth_to_space(a, 2)), ((None, 6, 4, 8), F))
    rows["space_batch"] = (lambda a: (raw.SpaceToBatchND(input=a, block_shape=[2, 3], paddings=[[0, 1], [1, 1]]),
                                      raw.BatchToSpaceND(input=tf.tile(a, [6, 1, 1, 1]), block_shape=[2, 3], crops=[[1, 0], [0, 2]])), picture)
    rows["band_part"] = (lambda a: (tf.linalg.band_part(a, 1, 0), tf.linalg.band_part(a, -1, 0), tf.linalg.band_part(a, 0, 2)), x)
    rows["diag"] = (lambda a: (tf.linalg.diag(a), tf.linalg.diag_part(tf.matmul(a, a, transpose_b=True))), x)
    # parts
    rows["gather"] = (lambda a, i: (tf.gather(a, i, axis=1), tf.gather(a, i, axis=2), tf.gather(a, [0, 2], axis=-1)), x, ((3,), I, 0, 4))
    rows["gather_batch"] = (lambda a, i: (tf.gather(a, i, axis=1, batch_dims=1), tf.gather(a, i, axis=2, batch_dims=1)), x, ((None, 3), I, 0, 4))
    rows["gather_nd"] = (lambda a, i: (tf.gather_nd(a, tf.stack([tf.zeros_like(i), i], -1)), tf.gather_nd(a, i[:, tf.newaxis], batch_dims=1)), x, ((None,), I, 0, 4))
    rows["one_hot"] = (lambda i: (tf.one_hot(i, 4), tf.one_hot(i, 4, axis=1), tf.one_hot(i, 3, on_value=2.0, off_value=-1.0), tf.one_hot(i, 4, on_value=True, off_value=False)), ((None, 5), I, -2, 6))
    rows["scatter_nd"] = (lambda a: tf.scatter_nd([[1], [3], [1]], tf.transpose(a)[:3], [6, tf.shape(a)[1], tf.shape(a)[0]]), x)
    rows["tensor_scatter"] = (lambda a: (tf.tensor_scatter_nd_update(a, [[0, 1]], [[1.0, 2, 3, 4, 5]]), tf.tensor_scatter_nd_add(a, [[0, 1], [0, 1]], [[1.0] * 5] * 2),
                                         tf.tensor_scatter_nd_sub(a, [[0, 1]], [[1.0] * 5]), tf.tensor_scatter_nd_max(a, [[0, 1]], [[1.0] * 5]), tf.tensor_scatter_nd_min(a, [[0, 1]], [[0.0] * 5])), x)
    rows["where_places"] = (lambda a: (tf.where(a), tf.where(tf.reduce_any(a, 2))), flags)
    rows["boolean_mask"] = (lambda a, m: tf.boolean_mask(a, m), x, ((None,), B))
    rows["unique"] = (lambda a: tf.unique(a), ((20,), I, 0, 6))
    rows["top_k"] = (lambda a: tf.math.top_k(a, 3), x)
    rows["top_k_ties"] = (lambda a: tf.math.top_k(tf.cast(a, tf.float32), 4), ((None, 9), I, 0, 3))
    # reductions
    for name in ("sum", "mean", "max", "min", "prod", "euclidean_norm", "logsumexp", "std", "variance"):
        function = getattr(tf.math, f"reduce_{name}")
        rows[f"reduce_{name}"] = (lambda a, f=function: (f(a, 1), f(a, [1, 2], keepdims=True), f(a), f(a, -1)), x)
    rows["reduce_int"] = (lambda a: (tf.reduce_sum(a, 1), tf.reduce_max(a), tf.reduce_mean(a, 2), tf.reduce_prod(a, 2)), ints)
    rows["reduce_bool"] = (lambda a: (tf.reduce_all(a, 1), tf.reduce_any(a, [1, 2]), tf.reduce_any(a)), flags)
    rows["arg"] = (lambda a: (tf.argmax(a, 1), tf.argmin(a, -1, output_type=tf.int32)), x)
    rows["arg_ties"] = (lambda a: (tf.argmax(a, 1), tf.argmin(a, 1)), ((None, 9), I, 0, 3))
    rows["cumsum"] = (lambda a: (tf.cumsum(a, 1), tf.cumsum(a, 2, exclusive=True), tf.cumsum(a, -1, reverse=True), tf.cumsum(a, 1, exclusive=True, reverse=True)), x)
    rows["cumprod"] = (lambda a: (tf.math.cumprod(a, 1), tf.math.cumprod(a, 2, exclusive=True), tf.math.cumprod(a, -1, reverse=True)), x)
    rows["l2"] = (lambda a: (tf.nn.l2_loss(a), tf.nn.l2_normalize(a, -1)), x)
    rows["in_top_k"] = (lambda a, t: tf.math.in_top_k(t, a, 2), ((None, 5), F), ((None,), I, 0, 5))
    rows["bucketize"] = (lambda a: raw.Bucketize(input=a, boundaries=[-1.0, 0.0, 0.5]), x)
    rows["bincount"] = (lambda a: (tf.math.bincount(a, minlength=6, maxlength=6, axis=-1), tf.math.bincount(a, minlength=6, maxlength=6, axis=-1, binary_output=True)), ((None, 5), I, 0, 6))
    rows["segments"] = (lambda a: (tf.math.unsorted_segment_sum(tf.transpose(a, [1, 0, 2]), [2, 0, -1, 2], 4), tf.math.segment_sum(tf.transpose(a, [1, 0, 2]), [0, 0, 2, 2])), x)
    rows["sparse_segments"] = (lambda a: (tf.sparse.segment_mean(a[0], [0, 1, 3], [0, 0, 1]), tf.sparse.segment_sqrt_n(a[0], [0, 1, 3], [0, 0, 1]), tf.sparse.segment_sum(a[0], [0, 1, 3], [0, 0, 2], num_segments=4)), x)
    # products
    rows["matmul"] = (lambda a: (tf.matmul(a, a, transpose_b=True), tf.matmul(a, a, transpose_a=True), tf.matmul(a[0], tf.transpose(a[0]))), x)
    rows["matmul_2d"] = (lambda a, w: (tf.matmul(a, w), tf.matmul(a, w, transpose_b=True), tf.matmul(a, a, transpose_a=True)), ((None, 4), F), ((4, 4), F))
    rows["einsum"] = (lambda a, b: (tf.einsum("bij,bkj->bik", a, b), tf.einsum("...ij,jk->...ik", a, tf.ones([5, 3])), tf.einsum("bij->b", a)), x, x)
    rows["cross"] = (tf.linalg.cross, ((None, 3), F), ((None, 3), F))
    rows["tensordot"] = (lambda a: tf.tensordot(a, tf.reshape(tf.range(10.0), [5, 2]), 1), x)
    # windows
    kernel = np.random.default_rng(5).uniform(-1, 1, (3, 2, 4, 6)).astype(F)
    rows["conv_explicit"] = (lambda a: tf.nn.conv2d(a, kernel, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]), picture)
    rows["conv_dilated"] = (lambda a: (tf.nn.conv2d(a, kernel, 1, "SAME", dilations=2), tf.nn.conv2d(a, kernel, 1, "VALID", dilations=[2, 3])), picture)
    rows["atrous"] = (lambda a: tf.nn.atrous_conv2d(a, kernel, 2, "SAME"), picture)
    rows["conv_transpose_crop"] = (lambda a: tf.nn.conv2d_transpose(a, np.transpose(kernel, (0, 1, 3, 2)), [tf.shape(a)[0], 18, 14, 6], 2, "SAME"), picture)
    rows["conv_transpose_odd"] = (lambda a: tf.nn.conv2d_transpose(a, np.transpose(kernel, (0, 1, 3, 2)), [tf.shape(a)[0], 17, 13, 6], 2, "SAME"), picture)
    rows["max_pool_explicit"] = (lambda a: tf.nn.max_pool2d(a, 3, 2, [[0, 0], [1, 1], [0, 1], [0, 0]]), picture)
    rows["batch_norm"] = (lambda a: tf.compat.v1.nn.fused_batch_norm(a, [1.0, 2, 3, 4], [0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.2, 0.3], [1.0, 2.0, 0.5, 3.0], is_training=False)[0], picture)
    rows["lrn"] = (lambda a: tf.nn.local_response_normalization(a, 2, 1.0, 0.3, 0.6), picture)
    for name, options in (("corners", dict(align_corners=True)), ("half", dict(half_pixel_centers=True)), ("old", {})):
        rows[f"resize_{name}"] = (lambda a, o=options: (raw.ResizeBilinear(images=a, size=[5, 11], **o), raw.ResizeNearestNeighbor(images=a, size=[5, 11], **o),
                                                        raw.ResizeNearestNeighbor(images=a, size=[27, 14], **o), raw.ResizeBilinear(images=a, size=[18, 21], **o)), picture)
    rows["resize_cubic"] = (lambda a: (raw.ResizeBicubic(images=a, size=[12, 11], half_pixel_centers=True), raw.ResizeBicubic(images=a, size=[12, 11])), picture)
    rows["nms"] = (lambda a, s: tf.image.non_max_suppression(tf.concat([a, a + 0.5], 1), s, 5, 0.4, 0.1), ((12, 2), F, 0, 1), ((12,), F, 0, 1))
    # control
    rows["if_op"] = (lambda a: tf.cond(tf.reduce_sum(a) > 0, lambda: (a * 2, tf.reduce_sum(a)), lambda: (a - 1, tf.constant(3.0))), x)
    rows["case_op"] = (lambda a, i: tf.switch_case(i, [lambda: a, lambda: a * 2, lambda: a - 5]), x, ((), I, 0, 3))
    rows["while_op"] = (lambda a: tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 0.5 + tf.cast(i, tf.float32)), [tf.constant(0), a])[1], x)
    rows["while_data"] = (lambda a: tf.while_loop(lambda y, n: tf.reduce_max(tf.abs(y)) > 0.1, lambda y, n: (y * 0.7, n + 1), [a, tf.constant(0)]), x)
    rows["while_grows"] = (lambda a: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, a[:, :1]], 1)), [tf.constant(0), a[:, :1]],
                                                   shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, None, 5])])[1], x)

    def arrays(a):
        total = tf.TensorArray(tf.float32, size=4, element_shape=[5])
        rows_in = tf.TensorArray(tf.float32, size=4).unstack(tf.transpose(a, [1, 0, 2]))
        _, out, _ = tf.while_loop(lambda i, t, s: i < 4, lambda i, t, s: (i + 1, t.write(i, tf.reduce_sum(rows_in.read(i), 0) + s), s + 1.0),
                                  [tf.constant(0), total, tf.constant(0.0)])
        return out.stack()

    def backwards(a):
        total = tf.TensorArray(tf.float32, size=4, element_shape=[5])
        _, out = tf.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t.write(3 - i, a[0, i])), [tf.constant(0), total])
        return out.stack()

    rows["tensor_array"] = (arrays, x)
    rows["tensor_array_backwards"] = (backwards, x)
    rows["map_fn"] = (lambda a: tf.map_fn(lambda row: row * tf.reduce_sum(row), a), x)
    rows["scan_fn"] = (lambda a: tf.scan(lambda s, row: s * 0.5 + row, a), x)
    rows["nested_while"] = (lambda a: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z + 1.0), [tf.constant(0), y])[1]), [tf.constant(0), a])[1], x)
    rows["as_string"] = (lambda a, f: (tf.strings.as_string(a), tf.strings.as_string(f), tf.strings.join([tf.strings.as_string(a), "x"], "-")), ints, flags)
    rows["dynamic_stitch"] = (lambda a: tf.dynamic_stitch([[0, 2], [1, 3], [2]], [a[0, :2], a[0, 2:4], a[0, 3:4]]), x)
    rows["set_diag"] = (lambda a: tf.linalg.set_diag(tf.matmul(a, a, transpose_b=True), a[:, :, 0]), x)
    rows["string_join"] = (lambda a: tf.where(a, "yes", "no"), flags)
    return rows


def all_cases():
    cases = dict(CASES)
    for name, (function, *specs) in single_ops().items():
        cases[f"op_{name}"] = lambda f=function, s=specs: module(f, *s)
    cases.update({name: lambda row=row: network(*row) for name, row in NETWORKS.items()})
    cases["tf1_builder"] = tf1_builder
    cases["tf1_cond"] = tf1_cond
    import tensorflow as tf
    if hasattr(tf, "estimator") and tf.__version__ < "2.16":
        cases["estimator"] = estimator
    return cases


def tf1_builder():
    """TensorFlow 1's way: placeholders, VariableV2 or resource variables, a Saver, the builder."""
    import tensorflow as tf
    v1 = tf.compat.v1

    def save(folder):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 6], name="x")
            w = v1.get_variable("w", [6, 4], use_resource=False, initializer=v1.random_normal_initializer())
            c = v1.get_variable("c", [4], use_resource=True, initializer=v1.random_normal_initializer())
            y = tf.nn.softmax(tf.matmul(x, w) + c)
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, folder, {"features": x}, {"scores": y, "classes": tf.argmax(y, 1)})

    return save, [lambda n: numbers(n, 6, seed=n)]


def tf1_cond():
    """tf.cond as TensorFlow 1 wrote it: Switch and Merge, nested, one branch a constant."""
    import tensorflow as tf
    v1 = tf.compat.v1

    def save(folder):
        with tf.Graph().as_default(), v1.Session() as session:
            v1.disable_control_flow_v2()
            x = v1.placeholder(tf.float32, [None, 3], name="x0")
            w = v1.get_variable("w", [3, 3], use_resource=True, initializer=v1.random_normal_initializer())
            total = tf.reduce_sum(x)
            y = v1.cond(total > 0, lambda: tf.matmul(x, w), lambda: v1.cond(total > -3.0, lambda: x - 1.0, lambda: x * total))
            z = v1.cond(total > 0.5, lambda: tf.constant(2.0), lambda: total)
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, folder, {"x0": x}, {"y": y, "z": z})
            v1.enable_control_flow_v2()

    return save, [lambda n: numbers(n, 3, seed=n)]


def estimator():
    """A canned Estimator; "predict" takes the features, the other signatures tf.Examples."""
    import shutil
    import tempfile
    import tensorflow as tf
    column = tf.feature_column
    columns = [column.numeric_column("a", shape=(3,)), column.numeric_column("b"),
               column.bucketized_column(column.numeric_column("c"), [0.0, 1.0, 2.0])]

    def save(folder):
        with tempfile.TemporaryDirectory() as scratch:
            made = tf.estimator.DNNClassifier([8, 4], columns, n_classes=3, model_dir=scratch + "/train")

            def data():
                features = {"a": numbers(40, 3), "b": numbers(40, 1), "c": numbers(40, 1, high=3.0)}
                return tf.data.Dataset.from_tensor_slices((features, np.arange(40) % 3)).batch(8)

            def receiver():
                place = tf.compat.v1.placeholder
                features = {"a": place(tf.float32, [None, 3]), "b": place(tf.float32, [None, 1]), "c": place(tf.float32, [None, 1])}
                return tf.estimator.export.ServingInputReceiver(features, features)

            made.train(data, steps=5)
            shutil.move(made.export_saved_model(scratch + "/export", receiver).decode(), folder)

    return save, [lambda n: numbers(n, 3, seed=n), lambda n: numbers(n, 1, seed=n + 9), lambda n: numbers(n, 1, high=3.0, seed=n + 5)]


# --- make and check

def make(root, names):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import tensorflow as tf
    cases = all_cases()
    for name in names or cases:
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        tf.keras.backend.clear_session()
        tf.random.set_seed(7)
        np.random.seed(7)
        try:
            save, inputs = cases[name]()
            save(str(folder / "model"))
            loaded = tf.saved_model.load(str(folder / "model"))
            signature = "serving_default" if "serving_default" in loaded.signatures else "predict"
            (folder / "signature").write_text(signature)
            call = loaded.signatures[signature]
            keys = input_keys(call, tf)
            for batch in (1, 7):
                arguments = {key: draw(batch) for key, draw in zip(keys, inputs)}
                answers = call(**{key: tf.constant(value) for key, value in arguments.items()})
                np.savez(folder / f"batch{batch}.npz", **{f"in:{k}": v for k, v in arguments.items()},
                         **{f"out:{k}": v.numpy() for k, v in answers.items()})
        except Exception as problem:  # a layer this version lacks
            print(f"{name}: not made: {type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else ''}", flush=True)
            (folder / "not_made").write_text(str(problem))


def input_keys(call, tf):
    """Keys in the order in which the case's inputs are given: that of the function's arguments."""
    keys = list(call.structured_input_signature[1])
    order = [tensor.name for tensor in call.inputs]
    def place(key):
        spec = call.structured_input_signature[1][key]
        for i, name in enumerate(order):
            if name.split(":")[0] in (key, spec.name or key):
                return i
        return len(order)
    names = {"city": 0, "item": 1, "left": 0, "right": 1}
    if all(key in names for key in keys):
        return sorted(keys, key=names.get)
    return sorted(keys, key=lambda key: (len(key), key)) if all(k[:1] in "xik" for k in keys) else sorted(keys, key=place)


def same(name, ours, theirs, deep):
    """The largest error relative to the tensor's largest value, or a text saying what is wrong."""
    if theirs.dtype == object or theirs.dtype.kind in "SU":
        decode = np.vectorize(lambda v: v.decode() if isinstance(v, bytes) else str(v), otypes=[object])
        return 0.0 if np.array_equal(decode(ours), decode(theirs)) else f"{name}: other strings"
    if ours.shape != theirs.shape:
        return f"{name}: shape {ours.shape}, TensorFlow's {theirs.shape}"
    if ours.dtype != theirs.dtype:
        return f"{name}: {ours.dtype}, TensorFlow's {theirs.dtype}"
    if theirs.dtype.kind in "biu":
        return 0.0 if np.array_equal(ours, theirs) else f"{name}: {int((ours != theirs).sum())} of {ours.size} differ"
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return f"{name}: infinite or NaN elsewhere"
    if not finite.any():
        return 0.0
    scale = np.abs(theirs[finite]).max() or 1.0
    error = float(np.abs(ours[finite].astype(np.float64) - theirs[finite]).max() / scale)
    return error if error <= (1e-4 if deep else 1e-5) else f"{name}: error {error:.2e} of the largest value"


def check(root, names, command):
    import onnx
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    wrong, worst, done = [], 0.0, 0
    for folder in sorted(root.iterdir()):
        name = folder.name
        if (names and name not in names) or not (folder / "batch7.npz").exists():
            continue
        file = folder / "model.onnx"
        words = [word.format(model=folder / "model", onnx=file, signature=(folder / "signature").read_text() if (folder / "signature").exists() else "serving_default") for word in command.split()]
        converted = subprocess.run(words, capture_output=True, text=True)
        if converted.returncode != 0:
            wrong.append(f"{name}: {converted.stderr.strip()}")
            continue
        try:
            onnx.checker.check_model(str(file), full_check=False)
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            for batch in (1, 7):
                recorded = np.load(folder / f"batch{batch}.npz", allow_pickle=True)
                feed = {key[3:]: recorded[key] for key in recorded if key.startswith("in:")}
                wanted = [key[4:] for key in recorded if key.startswith("out:")]
                for key, value in zip(wanted, session.run(wanted, feed)):
                    result = same(key, np.asarray(value), recorded[f"out:{key}"], name in DEEP)
                    if isinstance(result, str):
                        raise AssertionError(f"batch {batch}: {result}")
                    worst = max(worst, result)
            done += 1
        except Exception as problem:
            wrong.append(f"{name}: {type(problem).__name__}: {str(problem)[:300]}")
    for line in wrong:
        print(line)
    print(f"{done} models agree, {len(wrong)} do not; largest error {worst:.1e} of the tensor's largest value")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("make", "check"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--convert", default="wherry convert {model} -o {onnx} --signature {signature}")
    options = parser.parse_args()
    if options.verb == "make":
        make(options.folder, options.names)
        return 0
    return check(options.folder, options.names, options.convert)


if __name__ == "__main__":
    # This file is named like the package it tests.
    sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
    sys.exit(main())
