"""Exported programs (.pt2) against PyTorch itself.

  python pytorch.py make FOLDER [--only NAME]        in an environment with torch and torchvision (any from 2.1 on)
  python pytorch.py check FOLDER --wherry COMMAND    in one with numpy and onnxruntime

make writes NAME.pt2 and NAME.npz (inputs and PyTorch's outputs, for one or more batches). check converts each with
`wherry convert`, runs ONNX Runtime and compares: the error must stay below 1e-5 of the tensor's largest value, 1e-4
for the deep networks. Random weights, fixed seeds.
"""
import argparse
import inspect
import os
import subprocess
import sys
import traceback

DEEP = {"resnet50", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "densenet121", "vit_b_16", "convnext_tiny",
        "swin_t", "regnet_y_400mf", "googlenet", "inception_v3", "shufflenet_v2_x0_5", "mnasnet0_5"}


# --- cases: name -> (module, example inputs, dynamic axes per input, further inputs) ------------------------------

def cases():
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    class Fn(nn.Module):
        """One expression of up to three inputs."""

        def __init__(self, fn):
            super().__init__()
            self.fn = fn

        def forward(self, x):
            return self.fn(x)

    class Fn2(nn.Module):
        def __init__(self, fn):
            super().__init__()
            self.fn = fn

        def forward(self, x, y):
            return self.fn(x, y)

    class Fn3(nn.Module):
        def __init__(self, fn):
            super().__init__()
            self.fn = fn

        def forward(self, x, y, z):
            return self.fn(x, y, z)

    def rand(*shape):
        return torch.randn(*shape)

    out = {}

    def add(name, module, *inputs, dynamic=True, more=None):
        if not isinstance(module, nn.Module):
            module = {1: Fn, 2: Fn2, 3: Fn3}[len(inputs)](module)
        out[name] = (module.eval(), inputs, dynamic, more)

    def batch(make, sizes=(1, 7)):
        return [make(n) for n in sizes]

    def one(name, fn, shape=(2, 3, 5), positive=False, **kw):
        def make(n):
            x = rand(n, *shape[1:])
            return (x.abs() + 0.1,) if positive else (x,)
        add(name, fn, *make(3), more=batch(make), **kw)

    def two(name, fn, a=(2, 3, 5), b=(2, 3, 5), **kw):
        def make(n):
            return rand(n, *a[1:]), (rand(n, *b[1:]) if b and b[0] == 2 else rand(*b))
        add(name, fn, *make(3), dynamic=kw.pop("dynamic", (True, bool(b and b[0] == 2))), more=batch(make), **kw)

    # arithmetic
    for op in ("add", "sub", "mul", "div", "maximum", "minimum", "atan2", "hypot", "logaddexp", "remainder", "fmod",
               "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"):
        two(op, getattr(torch, op))
    two("floor_divide", lambda x, y: torch.div(x, y, rounding_mode="floor"))
    two("trunc_divide", lambda x, y: torch.div(x, y, rounding_mode="trunc"))
    two("add_alpha", lambda x, y: torch.add(x, y, alpha=2.5) + torch.sub(y, x, alpha=2))
    two("broadcast", lambda x, y: x * y + y, b=(5,))
    one("int_promotion", lambda x: (x * 3).to(torch.int64) // 2 + (x > 0) + (x * 5).to(torch.int32) % 3)
    one("int_true_divide", lambda x: (x * 7).to(torch.int64) / 3 + (x * 7).to(torch.int32) * 0.5)
    one("uint8", lambda x: (x.abs() * 50).to(torch.uint8) + 7)
    one("bool_ops", lambda x: ((x > 0) & (x < 1)) | ~(x > -1) ^ (x > 0.5))
    one("bitwise", lambda x: (x * 9).to(torch.int32).bitwise_and(6) | (x * 4).to(torch.int32))
    one("scalars", lambda x: 2 - x * 3.5 + x / 2 - (1 - x))
    one("rsub", lambda x: 3 - x)
    one("pow", lambda x: x ** 2 + x ** 3 + x.abs() ** 0.5 + 2 ** x + (x.abs() + 1) ** -0.5 + (x.abs() + 1) ** 1.7)
    two("pow_tensor", lambda x, y: (x.abs() + 0.1) ** y)
    one("clamp", lambda x: x.clamp(-0.5, 0.7) + x.clamp(min=0) + x.clamp(max=0.3))
    two("clamp_tensor", lambda x, y: x.clamp(min=y))
    two("lerp", lambda x, y: torch.lerp(x, y, 0.3) + torch.lerp(x, y, torch.sigmoid(x)))
    two("addcmul", lambda x, y: torch.addcmul(x, x, y, value=0.5) + torch.addcdiv(x, x, y.abs() + 1, value=2))
    for op in ("exp", "exp2", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "asinh", "erf", "erfc", "floor",
               "ceil", "round", "trunc", "frac", "abs", "neg", "sign", "square", "sigmoid", "tanh", "isnan", "isinf",
               "isfinite", "deg2rad", "logical_not"):
        one(op, getattr(torch, op))
    for op in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"):
        one(op, getattr(torch, op), positive=True)
    one("asin_acos_atanh", lambda x: torch.asin(torch.sigmoid(x)) + torch.acos(torch.sigmoid(x)) + torch.atanh(torch.tanh(x) * 0.9))
    one("acosh", lambda x: torch.acosh(x + 1), positive=True)
    one("logit", lambda x: torch.logit(torch.sigmoid(x)) + torch.logit(torch.sigmoid(x), eps=0.2))
    one("round_decimals", lambda x: torch.round(x, decimals=2))
    one("nan_to_num", lambda x: torch.nan_to_num(torch.log(x), nan=2.0) + torch.nan_to_num(x / 0.0, posinf=1.0, neginf=-1.0))
    one("int_unary", lambda x: (x * 4).to(torch.int64).abs() + (x * 4).to(torch.int32).neg() + (x * 3).to(torch.int64).sign())
    one("float_of_int", lambda x: torch.sqrt((x.abs() * 9).to(torch.int64)) + torch.sigmoid((x * 3).to(torch.int32)))
    # activations
    for name, module in (("relu", nn.ReLU()), ("relu6", nn.ReLU6()), ("gelu", nn.GELU()), ("gelu_tanh", nn.GELU("tanh")),
                         ("silu", nn.SiLU()), ("mish", nn.Mish()), ("elu", nn.ELU(0.7)), ("selu", nn.SELU()), ("celu", nn.CELU(1.3)),
                         ("softplus", nn.Softplus()), ("softplus_beta", nn.Softplus(2.0, 5.0)), ("softsign", nn.Softsign()),
                         ("hardsigmoid", nn.Hardsigmoid()), ("hardswish", nn.Hardswish()), ("hardtanh", nn.Hardtanh(-0.3, 0.8)),
                         ("leaky_relu", nn.LeakyReLU(0.2)), ("logsigmoid", nn.LogSigmoid()), ("tanhshrink", nn.Tanhshrink()),
                         ("hardshrink", nn.Hardshrink()), ("softshrink", nn.Softshrink()), ("threshold", nn.Threshold(0.1, 2.0)),
                         ("prelu", nn.PReLU()), ("prelu_channels", nn.PReLU(3)), ("softmax", nn.Softmax(-1)), ("softmin", nn.Softmin(1)),
                         ("log_softmax", nn.LogSoftmax(1)), ("dropout", nn.Dropout()), ("rrelu", nn.RReLU())):
        one(name, module)
    one("glu", nn.GLU(-1), shape=(2, 3, 6))
    one("softmax_dtype", lambda x: F.softmax(x, dim=1, dtype=torch.float64).float())
    # comparisons and choices
    two("where", lambda x, y: torch.where(x > y, x, y) + torch.where(x > 0, x, 0.5) + torch.where(y > 0, 1.0, y))
    one("masked_fill", lambda x: x.masked_fill(x > 0.5, -1.5) + x.masked_fill(x < 0, float("-inf")).exp())
    two("isclose", lambda x, y: torch.isclose(x, y + (x - y) * (x > 0)))
    # reductions
    for keep in (False, True):
        one(f"sum_{keep}", lambda x, keep=keep: x.sum(1, keepdim=keep) + x.mean((1, -1), keepdim=True).sum() * 0)
        one(f"mean_{keep}", lambda x, keep=keep: x.mean((1, 2), keepdim=keep))
        one(f"max_dim_{keep}", lambda x, keep=keep: x.max(1, keepdim=keep))
        one(f"min_dim_{keep}", lambda x, keep=keep: x.min(-1, keepdim=keep))
        one(f"argmax_{keep}", lambda x, keep=keep: (x.argmax(1, keepdim=keep), x.argmin(-1, keepdim=keep)))
        one(f"var_{keep}", lambda x, keep=keep: x.var(1, keepdim=keep) + x.std((1,), keepdim=keep, correction=0))
        one(f"norm_{keep}", lambda x, keep=keep: (x.norm(dim=1, keepdim=keep), x.norm(p=1, dim=1, keepdim=keep), x.norm(p=3, dim=(1, 2), keepdim=keep)))
    one("sum_all", lambda x: (x.sum(), x.mean(), x.max(), x.min(), x.prod(), x.std(), x.argmax()))
    one("sum_int", lambda x: ((x * 3).to(torch.int32).sum(1), (x > 0).sum(-1), (x > 0).to(torch.int32).prod(1)))
    one("amax", lambda x: x.amax((1, 2)) + x.amin(1).sum(-1))
    one("var_mean", lambda x: torch.var_mean(x, 1))
    one("std_mean", lambda x: torch.std_mean(x, (1, 2), correction=0))
    one("any_all", lambda x: ((x > 1).any(1), (x > -1).all(-1), (x > 2).any(), (x > -2).all()))
    one("logsumexp", lambda x: torch.logsumexp(x * 30, 1))
    one("cumsum", lambda x: x.cumsum(1) + (x > 0).cumsum(-1) + x.cumprod(1))
    one("topk", lambda x: x.topk(3, -1))
    one("topk_smallest", lambda x: x.topk(2, 1, largest=False))
    one("sort", lambda x: (*x.sort(-1), *x.sort(1, descending=True)))
    one("argsort", lambda x: x.argsort(-1))
    one("median", lambda x: (*x.median(-1), *x.kthvalue(2, 1)))
    one("count_nonzero", lambda x: (x > 0).float().count_nonzero(1))
    one("normalize", lambda x: F.normalize(x, dim=1) + F.normalize(x, p=1, dim=-1))
    one("vector_norm", lambda x: torch.linalg.vector_norm(x, dim=-1) + torch.linalg.norm(x, dim=(1, 2)).unsqueeze(-1))
    # shapes
    one("view", lambda x: x.view(x.shape[0], -1) * 2)
    one("reshape_batch", lambda x: x.reshape(-1, 5).reshape(x.shape[0], 5, 3))
    one("flatten", lambda x: (x.flatten(1), x.flatten(), x.unflatten(2, (5, 1))))
    one("permute", lambda x: (x.permute(2, 0, 1), x.transpose(1, 2), x.movedim(0, 2), x.mT))
    one("squeeze", lambda x: (x.unsqueeze(1).squeeze(1), x[:, :1].squeeze(1), x.unsqueeze(-1).squeeze(-1)))
    one("expand", lambda x: x[:, :1].expand(-1, 4, 5) + x.unsqueeze(1).expand(x.shape[0], 2, 3, 5)[:, 1, :1])
    two("expand_as", lambda x, y: x[:, :1].expand_as(y) + y)
    two("cat", lambda x, y: torch.cat([x, y, x], 1))
    two("stack", lambda x, y: torch.stack([x, y], 1) + torch.stack([y, x], -1).permute(0, 3, 1, 2))
    one("cat_mixed", lambda x: torch.cat([(x * 3).to(torch.int64), x], -1))
    one("split", lambda x: (*x.split(2, 1), *x.split([1, 4], 2)))
    one("chunk", lambda x: (*x.chunk(2, 1), *x.chunk(3, -1), *x.tensor_split(2, -1)))
    one("unbind", lambda x: x.unbind(1))
    one("slice", lambda x: (x[:, 1:], x[:, :-1, 1:4:2], x[..., -2:], x[:, 0], x[:, -1, 2:]))
    one("slice_dynamic", lambda x: x[: x.shape[0] // 2 + 1] * 2)
    one("narrow_select", lambda x: x.narrow(1, 1, 2) + x.select(-1, 2).unsqueeze(-1)[:, :2])
    one("repeat", lambda x: (x.repeat(1, 2, 3), x.repeat(2, 1, 1, 1), torch.tile(x, (2,)), x.repeat_interleave(3, 1)))
    one("flip_roll", lambda x: x.flip(1, 2) + x.roll(2, -1) + x.roll((1, -1), (1, 2)))
    one("tril", lambda x: x.tril() + x.triu(1) + x.tril(-1))
    one("diagonal", lambda x: (x.diagonal(0, 1, 2), x.diagonal(1, 1, 2)))
    one("unfold_axis", lambda x: x.unfold(2, 3, 2))
    one("pixel_shuffle", nn.PixelShuffle(2), shape=(2, 8, 3, 5))
    one("pixel_unshuffle", nn.PixelUnshuffle(2), shape=(2, 3, 4, 6))
    one("channel_shuffle", nn.ChannelShuffle(3), shape=(2, 6, 3, 5))
    one("unfold", nn.Unfold((3, 2), dilation=(1, 2), padding=1, stride=2), shape=(2, 3, 7, 8))
    one("fold", nn.Fold((5, 6), 2, stride=1), shape=(2, 12, 20))
    two("meshgrid", lambda x, y: torch.meshgrid(x[0, 0], y[0, :, 0], indexing="ij"))
    one("types", lambda x: (x.to(torch.float64), x.long(), x.bool(), x.half().float(), x.int(), x.type_as(x.double())))
    one("numel_size", lambda x: x * x.shape[0] + x.numel() / 3 + x.size(0) // 2)
    # indices
    def indexed(name, fn, shape=(2, 3, 5)):
        def make(n):
            return rand(n, *shape[1:]), torch.randint(0, 3, (n, 4))
        add(name, fn, *make(3), dynamic=(True, True), more=batch(make))

    indexed("index_one", lambda x, i: x[:, i[0]])
    indexed("index_two", lambda x, i: x[torch.arange(x.shape[0]).unsqueeze(1), i])
    indexed("index_middle", lambda x, i: x.unsqueeze(0)[:, :, i[0], i[0]])
    indexed("index_apart", lambda x, i: x[i[:, 0] * 0, :, i[:, 1]])
    indexed("index_negative", lambda x, i: x[:, i[0] - 3])
    indexed("gather", lambda x, i: x.gather(1, i.unsqueeze(-1).expand(-1, -1, 5)))
    indexed("index_select", lambda x, i: x.index_select(1, i[0]))
    indexed("take_along", lambda x, i: torch.take_along_dim(x, i[:, :, None], 1))
    indexed("scatter", lambda x, i: x.scatter(2, i[:, None, :].expand(-1, 3, -1), 2.5) + x.scatter_add(2, i[:, None, :].expand(-1, 3, -1), x[:, :, :4]))
    indexed("scatter_src", lambda x, i: torch.zeros(x.shape[0], 3).scatter(1, i[:, :1], x[:, 0, :1]))
    indexed("index_add", lambda x, i: x.index_add(1, i[0, :2], x[:, :2], alpha=2.0))
    indexed("index_fill", lambda x, i: x.index_fill(1, i[0], 9.0))
    indexed("one_hot", lambda x, i: F.one_hot(i, 3))
    indexed("isin", lambda x, i: torch.isin(i, torch.tensor([0, 2])))
    indexed("bucketize", lambda x, i: torch.bucketize(x, torch.tensor([-1.0, 0.0, 0.5])))
    one("masked_select", lambda x: x.masked_select(x > 0).sum() + x[x > 0.5].sum(), dynamic=False)
    # in-place, and views of what changes

    class InPlace(nn.Module):
        def forward(self, x):
            y = x.clone()
            y[:, 0] = 1.0
            y[:, 1, 2:] += 3
            y[:, 2].mul_(2)
            v = y.view(-1, 15)
            v[:, 3:5] = 0.25
            y.add_(x).relu_()
            y[y > 2] = -7.0
            return y, v

    one("in_place", InPlace())

    class IndexPut(nn.Module):
        def forward(self, x):
            y = torch.zeros_like(x)
            y[:, torch.tensor([0, 2])] = x[:, :2]
            y[torch.arange(x.shape[0]), 1, 3] = 5.0
            return y

    one("index_put", IndexPut())
    # creation
    one("arange", lambda x: x + torch.arange(5) + torch.arange(0, 10, 2.0) + torch.linspace(0, 1, 5))
    one("arange_dynamic", lambda x: x[:, :, 0] * torch.arange(x.shape[0]).unsqueeze(1))
    one("zeros_dynamic", lambda x: torch.zeros(x.shape[0], 3) + torch.ones_like(x).sum(-1) + x.new_full((x.shape[0], 1), 2.0))
    one("eye", lambda x: x[:, :, :3] @ torch.eye(3) + torch.full((3,), 2))
    # products
    two("matmul", lambda x, y: x @ y.transpose(1, 2))
    two("bmm", lambda x, y: torch.bmm(x, y.transpose(1, 2)) + torch.baddbmm(torch.ones(3), x, y.mT, beta=0.5, alpha=2.0))
    two("matmul_vector", lambda x, y: x @ y, b=(5,))
    two("mm", lambda x, y: x[:, 0] @ y + torch.addmm(torch.ones(4), x[:, 1], y), b=(5, 4))
    two("einsum", lambda x, y: torch.einsum("bij, bkj -> bik", x, y) + torch.einsum("bij,bkj->bk", x, y).unsqueeze(1))
    two("outer", lambda x, y: torch.outer(x[0, 0], y[0, :, 0]))
    two("cosine", lambda x, y: F.cosine_similarity(x, y, 1) + F.cosine_similarity(x, y, -1).sum(-1, keepdim=True))
    two("cdist", lambda x, y: torch.cdist(x, y) + torch.cdist(x, y, p=1.0))
    two("pairwise", lambda x, y: F.pairwise_distance(x, y))
    one("linear", nn.Linear(5, 4))
    one("linear_2d", nn.Sequential(nn.Flatten(), nn.Linear(15, 4, bias=False)))
    two("bilinear", nn.Bilinear(5, 5, 4))
    # convolutions
    images = (2, 4, 11, 9)
    for name, module in (
            ("conv2d", nn.Conv2d(4, 6, 3)), ("conv2d_stride", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))),
            ("conv2d_groups", nn.Conv2d(4, 8, 3, groups=2, padding=1, bias=False)), ("conv2d_depthwise", nn.Conv2d(4, 4, 3, groups=4)),
            ("conv2d_same", nn.Conv2d(4, 6, 4, padding="same")), ("conv2d_valid", nn.Conv2d(4, 6, 3, padding="valid")),
            ("conv2d_reflect", nn.Conv2d(4, 6, 3, padding=2, padding_mode="reflect")),
            ("conv2d_replicate", nn.Conv2d(4, 6, 3, padding=1, padding_mode="replicate")),
            ("conv2d_circular", nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="circular")),
            ("conv_transpose2d", nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)),
            ("conv_transpose2d_groups", nn.ConvTranspose2d(4, 6, (2, 3), stride=(1, 2), groups=2, dilation=(2, 1)))):
        one(name, module, shape=images)
    one("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=2), shape=(2, 4, 13))
    one("conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2), shape=(2, 4, 7))
    one("conv3d", nn.Conv3d(2, 3, 3, padding=1), shape=(2, 2, 5, 6, 7))
    # pooling
    for name, module in (
            ("max_pool", nn.MaxPool2d(3, 2)), ("max_pool_pad", nn.MaxPool2d(3, 2, 1)), ("max_pool_ceil", nn.MaxPool2d(3, 2, 1, ceil_mode=True)),
            ("max_pool_ceil2", nn.MaxPool2d(2, 3, 1, ceil_mode=True)), ("max_pool_dilation", nn.MaxPool2d(2, 1, dilation=2)),
            ("max_pool_indices", nn.MaxPool2d(2, return_indices=True)),
            ("avg_pool", nn.AvgPool2d(3, 2)), ("avg_pool_pad", nn.AvgPool2d(3, 2, 1)), ("avg_pool_ceil", nn.AvgPool2d(3, 2, 1, ceil_mode=True)),
            ("avg_pool_ceil_exclude", nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)),
            ("avg_pool_ceil2", nn.AvgPool2d(2, 3, 1, ceil_mode=True)), ("avg_pool_exclude", nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
            ("avg_pool_divisor", nn.AvgPool2d((2, 3), 2, (1, 0), ceil_mode=True, divisor_override=5)),
            ("adaptive_avg", nn.AdaptiveAvgPool2d(1)), ("adaptive_avg_odd", nn.AdaptiveAvgPool2d((4, 3))), ("adaptive_avg_one", nn.AdaptiveAvgPool2d((1, 5))),
            ("adaptive_avg_none", nn.AdaptiveAvgPool2d((None, 3))),
            ("adaptive_max", nn.AdaptiveMaxPool2d(1)), ("adaptive_max_odd", nn.AdaptiveMaxPool2d((4, 2))), ("lp_pool", nn.LPPool2d(2, 3, 2))):
        one(name, module, shape=images)
    one("max_pool1d", nn.MaxPool1d(3, 2, 1, ceil_mode=True), shape=(2, 4, 13))
    one("avg_pool1d", nn.AvgPool1d(3, 2, 1, ceil_mode=True), shape=(2, 4, 12))
    one("adaptive_avg1d", nn.AdaptiveAvgPool1d(5), shape=(2, 4, 13))
    one("pool3d", nn.Sequential(nn.MaxPool3d(2), nn.AvgPool3d(2, 1), nn.AdaptiveAvgPool3d(2)), shape=(2, 3, 8, 9, 10))
    # padding and resizing
    for mode in ("constant", "reflect", "replicate", "circular"):
        one(f"pad_{mode}", lambda x, mode=mode: F.pad(x, (1, 2, 3, 0), mode=mode), shape=images)
    one("pad_negative", lambda x: F.pad(x, (-1, 2, 0, -2), value=1.5), shape=images)
    one("zero_pad", nn.Sequential(nn.ZeroPad2d((1, 0, 2, 3)), nn.ConstantPad2d(1, 0.5), nn.ReflectionPad2d(2)), shape=images)
    for mode in ("nearest", "bilinear", "bicubic", "nearest-exact"):
        for align in ((False, True) if mode.startswith("bi") else (None,)):
            one(f"up_{mode}_{align}", nn.Upsample(scale_factor=2, mode=mode, align_corners=align), shape=images)
            one(f"size_{mode}_{align}", nn.Upsample(size=(15, 7), mode=mode, align_corners=align), shape=images)
            one(f"factor_{mode}_{align}", lambda x, mode=mode, align=align: F.interpolate(x, scale_factor=(1.7, 0.6), mode=mode, align_corners=align), shape=images)
    one("antialias", lambda x: F.interpolate(x, size=(5, 4), mode="bilinear", antialias=True), shape=images)
    one("up_linear1d", nn.Upsample(scale_factor=3, mode="linear"), shape=(2, 3, 5))
    one("up_trilinear", nn.Upsample(scale_factor=2, mode="trilinear"), shape=(2, 2, 3, 4, 5))
    two("grid_sample", lambda x, y: F.grid_sample(x, torch.tanh(y), align_corners=False), a=images, b=(2, 5, 6, 2))
    two("grid_sample_border", lambda x, y: F.grid_sample(x, y, padding_mode="border", align_corners=True), a=images, b=(2, 5, 6, 2))
    two("grid_sample_nearest", lambda x, y: F.grid_sample(x, y, mode="nearest", padding_mode="reflection", align_corners=False), a=images, b=(2, 5, 6, 2))

    class Spatial(nn.Module):
        def forward(self, x, theta):
            return F.grid_sample(x, F.affine_grid(theta, [theta.shape[0], 4, 6, 5], align_corners=False), align_corners=False)

    two("affine_grid", Spatial(), a=images, b=(2, 2, 3))
    # norms
    for name, module in (("batch_norm", nn.BatchNorm2d(4)), ("batch_norm_plain", nn.BatchNorm2d(4, affine=False)),
                         ("batch_norm_no_stats", nn.BatchNorm2d(4, track_running_stats=False)),
                         ("instance_norm", nn.InstanceNorm2d(4)), ("instance_norm_affine", nn.InstanceNorm2d(4, affine=True, track_running_stats=True)),
                         ("group_norm", nn.GroupNorm(2, 4)), ("layer_norm", nn.LayerNorm((11, 9))), ("layer_norm_plain", nn.LayerNorm(9, elementwise_affine=False)),
                         ("local_response", nn.LocalResponseNorm(3))):
        for parameter in module.parameters():
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        for key, buffer in module.named_buffers():
            if "running" in key:
                buffer.uniform_(0.5, 1.5)
        one(name, module, shape=images)
    one("batch_norm1d", nn.Sequential(nn.Flatten(), nn.BatchNorm1d(15)))
    one("weight_norm", torch.nn.utils.weight_norm(nn.Linear(5, 4)))
    if hasattr(nn, "RMSNorm"):
        one("rms_norm", nn.RMSNorm(5))
    # recurrent
    for kind in ("LSTM", "GRU", "RNN"):
        for layers, bidirectional, first in ((1, False, True), (2, True, True), (2, False, False)):
            module = getattr(nn, kind)(5, 4, layers, bidirectional=bidirectional, batch_first=first)
            one(f"{kind.lower()}_{layers}_{bidirectional}_{first}", module, dynamic=first)
    one("lstm_proj", nn.LSTM(5, 6, 2, proj_size=3, batch_first=True, bidirectional=True))
    one("gru_no_bias", nn.GRU(5, 4, bias=False, batch_first=True))
    one("rnn_relu", nn.RNN(5, 4, nonlinearity="relu", batch_first=True))

    class WithState(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(5, 4, batch_first=True)

        def forward(self, x, h):
            return self.lstm(x, (h.unsqueeze(0), h.unsqueeze(0) * 2))

    two("lstm_state", WithState(), b=(2, 4))

    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.gru, self.rnn = nn.LSTMCell(5, 4), nn.GRUCell(5, 4), nn.RNNCell(5, 4)

        def forward(self, x, h):
            a, b = self.lstm(x[:, 0], (h, h))
            return a, b, self.gru(x[:, 1], h), self.rnn(x[:, 2], h)

    two("cells", Cells(), b=(2, 4))
    # embeddings

    def tokens(name, module, high=11, length=6, **kw):
        def make(n):
            return (torch.randint(0, high, (n, length)),)
        add(name, module, *make(3), more=batch(make), **kw)

    tokens("embedding", nn.Embedding(11, 4, padding_idx=0))
    for mode in ("sum", "mean", "max"):
        tokens(f"embedding_bag_{mode}", nn.EmbeddingBag(11, 4, mode=mode))
        tokens(f"embedding_bag_pad_{mode}", nn.EmbeddingBag(11, 4, mode=mode, padding_idx=2))

        class Bag(nn.Module):
            def __init__(self, mode=mode):
                super().__init__()
                self.bag = nn.EmbeddingBag(11, 4, mode=mode)

            def forward(self, x, offsets):
                return self.bag(x, offsets)

        add(f"embedding_bag_offsets_{mode}", Bag(), torch.randint(0, 11, (9,)), torch.tensor([0, 3, 3, 7]), dynamic=False)
    # attention
    def heads(n, length=5, count=4):
        return rand(n, count, length, 6)

    def attention(name, fn):
        def make(n):
            return heads(n), heads(n, 7), heads(n, 7)
        add(name, fn, *make(3), dynamic=(True, True, True), more=batch(make))

    sdpa = F.scaled_dot_product_attention
    attention("sdpa", lambda q, k, v: sdpa(q, k, v))
    attention("sdpa_causal", lambda q, k, v: sdpa(q, k, v, is_causal=True))
    attention("sdpa_mask", lambda q, k, v: sdpa(q, k, v, attn_mask=(q[..., :1] > -0.5).expand(-1, -1, -1, 7) | (torch.arange(7) == 0)))
    attention("sdpa_float_mask", lambda q, k, v: sdpa(q, k, v, attn_mask=q @ k.mT))
    if "scale" in (sdpa.__doc__ or ""):
        attention("sdpa_scale", lambda q, k, v: sdpa(q, k, v, scale=0.3))
    if "enable_gqa" in (sdpa.__doc__ or ""):
        def grouped(n):
            return heads(n), heads(n, 7, 2), heads(n, 7, 2)
        add("sdpa_gqa", lambda q, k, v: sdpa(q, k, v, enable_gqa=True), *grouped(3), dynamic=(True,) * 3, more=batch(grouped))
    one("mha", type("Mha", (nn.Module,), {
        "__init__": lambda self: (nn.Module.__init__(self), setattr(self, "a", nn.MultiheadAttention(8, 2, batch_first=True)))[0],
        "forward": lambda self, x: self.a(x, x, x)})(), shape=(2, 5, 8))
    one("encoder", nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), shape=(2, 5, 8))
    one("encoder_norm_first", nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu"), 1), shape=(2, 5, 8))
    two("decoder", nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 1), a=(2, 5, 8), b=(2, 4, 8))
    models(add, one, tokens, batch, rand)
    return out


def models(add, one, tokens, batch, rand):
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()

            def double(i, o):
                return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(2, o), nn.LeakyReLU(0.1), nn.Conv2d(o, o, 3, padding=1), nn.InstanceNorm2d(o), nn.ReLU(inplace=True))
            self.a, self.b, self.c = double(3, 4), double(4, 8), double(8, 8)
            self.up1 = nn.ConvTranspose2d(8, 8, 2, stride=2)
            self.d, self.e = double(16, 4), double(8, 4)
            self.head = nn.Conv2d(4, 2, 1)

        def forward(self, x):
            a = self.a(x)
            b = self.b(F.max_pool2d(a, 2))
            c = self.c(F.max_pool2d(b, 2))
            d = self.d(torch.cat([self.up1(c), b], 1))
            e = self.e(torch.cat([F.interpolate(d, size=a.shape[-2:], mode="bilinear", align_corners=False), a], 1))
            return {"mask": self.head(e).sigmoid(), "features": e}

    one("unet", UNet(), shape=(2, 3, 20, 24))

    class Bert(nn.Module):
        def __init__(self, width=16, heads=4, layers=2, vocabulary=50):
            super().__init__()
            self.words = nn.Embedding(vocabulary, width, padding_idx=0)
            self.positions = nn.Embedding(32, width)
            self.types = nn.Embedding(2, width)
            self.norm = nn.LayerNorm(width, eps=1e-12)
            self.blocks = nn.ModuleList([nn.ModuleDict({
                "q": nn.Linear(width, width), "k": nn.Linear(width, width), "v": nn.Linear(width, width), "o": nn.Linear(width, width),
                "n1": nn.LayerNorm(width), "f": nn.Linear(width, 32), "g": nn.Linear(32, width), "n2": nn.LayerNorm(width)}) for _ in range(layers)])
            self.heads, self.pool = heads, nn.Linear(width, width)

        def forward(self, input_ids, attention_mask):
            n, length = input_ids.shape
            x = self.words(input_ids) + self.positions(torch.arange(length)) + self.types(torch.zeros_like(input_ids))
            x = self.norm(x)
            mask = (1.0 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
            for m in self.blocks:
                def split(y):
                    return y.view(n, length, self.heads, -1).transpose(1, 2)
                q, k, v = split(m["q"](x)), split(m["k"](x)), split(m["v"](x))
                w = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + mask).softmax(-1)
                y = (w @ v).transpose(1, 2).reshape(n, length, -1)
                x = m["n1"](x + m["o"](y))
                x = m["n2"](x + m["g"](F.gelu(m["f"](x))))
            return {"last_hidden_state": x, "pooler_output": torch.tanh(self.pool(x[:, 0]))}

    def sentence(n, length=6):
        mask = torch.ones(n, length, dtype=torch.int64)
        mask[:, 4:] = 0
        return torch.randint(0, 50, (n, length)), mask

    add("bert", Bert(), *sentence(3), dynamic=({0: "batch", 1: "sequence"}, {0: "batch", 1: "sequence"}),
        more=[sentence(1, 5), sentence(7, 9)])

    class TwoTower(nn.Module):
        def __init__(self):
            super().__init__()
            self.user, self.item = nn.Embedding(20, 4), nn.EmbeddingBag(30, 4, mode="mean")
            self.left = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 4))
            self.right = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))

        def forward(self, user, items):
            a = F.normalize(self.left(self.user(user)), dim=-1)
            b = F.normalize(self.right(self.item(items)), dim=-1)
            return torch.sigmoid((a * b).sum(-1) * 5)

    def pairs(n):
        return torch.randint(0, 20, (n,)), torch.randint(0, 30, (n, 5))

    add("two_tower", TwoTower(), *pairs(3), dynamic=(True, True), more=batch(pairs))

    class Speech(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Sequential(nn.Conv1d(6, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU())
            self.lstm = nn.LSTM(8, 6, 2, bidirectional=True, batch_first=True)
            self.gru = nn.GRU(12, 5, batch_first=True)
            self.out = nn.Linear(5, 4)

        def forward(self, x):
            y, _ = self.lstm(self.conv(x.transpose(1, 2)).transpose(1, 2))
            y, h = self.gru(y)
            return F.log_softmax(self.out(y), -1), h[-1]

    one("speech", Speech(), shape=(2, 9, 6))
    try:
        import torchvision.models as tv
    except ImportError:
        return

    def image(size):
        return lambda n: (rand(n, 3, size, size),)

    for name in ("resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "vit_b_16", "convnext_tiny", "swin_t",
                 "densenet121", "squeezenet1_1", "alexnet", "regnet_y_400mf", "shufflenet_v2_x0_5", "mnasnet0_5"):
        size = 224 if name in ("vit_b_16", "swin_t", "alexnet") else 97
        kwargs = {"weights": None}
        model = getattr(tv, name)(**kwargs)
        for key, buffer in model.named_buffers():
            if key.endswith("running_var"):
                buffer.uniform_(0.8, 1.2)
            elif key.endswith("running_mean"):
                buffer.uniform_(-0.1, 0.1)
        make = image(size)
        add(name, model, *make(2), more=[make(1), make(3)])


# --- make -------------------------------------------------------------------------------------------------------

def dynamic_shapes(module, inputs, dynamic):
    import torch
    names = [p for p in inspect.signature(module.forward).parameters][:len(inputs)]
    flags = dynamic if isinstance(dynamic, tuple) else (dynamic,) * len(inputs)
    dims = {}

    def dim(name):
        if name not in dims:
            dims[name] = torch.export.Dim(name, min=1, max=1024)
        return dims[name]

    out = {}
    for name, flag in zip(names, flags):
        if flag is True:
            out[name] = {0: dim("batch")}
        elif isinstance(flag, dict):
            out[name] = {axis: dim(label) for axis, label in flag.items()}
        else:
            out[name] = None
    return out


def export(torch, module, inputs, dynamic):
    version = tuple(int(p) for p in torch.__version__.split("+")[0].split(".")[:2])
    if version < (2, 2):
        return torch.export.export(module, inputs), False
    shapes = dynamic_shapes(module, inputs, dynamic)
    if all(v is None for v in shapes.values()):
        return torch.export.export(module, inputs), False
    try:
        return torch.export.export(module, inputs, dynamic_shapes=shapes), True
    except Exception as error:  # the batch is fixed by the model, e.g. by a guard
        print("  static:", str(error).split("\n")[0][:120])
        return torch.export.export(module, inputs), False


def flat(value):
    import torch
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [t for v in value.values() for t in flat(v)]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flat(v)]
    return []


def make(args):
    import numpy as np
    import torch
    torch.manual_seed(1)
    os.makedirs(args.folder, exist_ok=True)
    for name, (module, inputs, dynamic, more) in cases().items():
        if args.only and name not in args.only.split(","):
            continue
        path = os.path.join(args.folder, name)
        try:
            program, is_dynamic = export(torch, module, inputs, dynamic)
            if args.decompose:
                program = program.run_decompositions()
            torch.export.save(program, path + ".pt2")
            data = {}
            rounds = [inputs] + ((more or []) if is_dynamic else [])
            with torch.no_grad():
                for i, given in enumerate(rounds):
                    for j, x in enumerate(given):
                        data[f"{i}_in_{j}"] = x.numpy()
                    for j, y in enumerate(flat(module(*given))):
                        data[f"{i}_out_{j}"] = y.detach().numpy()
            np.savez(path + ".npz", **data)
        except Exception as error:
            print(f"{name}: PyTorch cannot export it: {str(error).splitlines()[0][:150] if str(error) else type(error)}")
            for suffix in (".pt2", ".npz"):
                if os.path.exists(path + suffix):
                    os.remove(path + suffix)
            if args.verbose:
                traceback.print_exc()


# --- check ------------------------------------------------------------------------------------------------------

def compare(name, want, got, limit):
    import numpy as np
    if want.shape != got.shape:
        return f"shape {got.shape} instead of {want.shape}", None
    if want.dtype != got.dtype:
        return f"dtype {got.dtype} instead of {want.dtype}", None
    if want.dtype.kind in "biu":
        bad = int((want != got).sum())
        return (f"{bad} of {want.size} differ" if bad else None), 0.0
    if not np.array_equal(np.isnan(want), np.isnan(got)) or not np.array_equal(np.isinf(want), np.isinf(got)):
        return "NaN or infinity elsewhere", None
    finite = np.isfinite(want)
    if not finite.any():
        return None, 0.0
    scale = max(float(np.abs(want[finite]).max()), 1e-6)
    error = float(np.abs(want[finite].astype("f8") - got[finite].astype("f8")).max()) / scale
    return (None if error <= limit else f"error {error:.2e}"), error


def check(args):
    import numpy as np
    import onnxruntime
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    good, worst, failed = 0, 0.0, []
    names = sorted(f[:-4] for f in os.listdir(args.folder) if f.endswith(".pt2"))
    for name in names:
        if args.only and name not in args.only.split(","):
            continue
        path = os.path.join(args.folder, name)
        run = subprocess.run(args.wherry.split() + ["convert", path + ".pt2", "-o", path + ".onnx"], capture_output=True, text=True)
        if run.returncode != 0:
            failed.append((name, (run.stderr or run.stdout).strip().splitlines()[0][:300]))
            continue
        data = np.load(path + ".npz")
        problem = None
        limit = 1e-4 if name in DEEP else 1e-5
        try:
            session = onnxruntime.InferenceSession(path + ".onnx", options, providers=["CPUExecutionProvider"])
            rounds = 1 + max(int(key.split("_")[0]) for key in data.files)
            for i in range(rounds):
                given = [data[f"{i}_in_{j}"] for j in range(sum(key.startswith(f"{i}_in_") for key in data.files))]
                feeds = {spec.name: given[j] for j, spec in enumerate(session.get_inputs())}
                got = session.run(None, feeds)
                want = [data[f"{i}_out_{j}"] for j in range(sum(key.startswith(f"{i}_out_") for key in data.files))]
                if len(got) != len(want):
                    problem = f"{len(got)} outputs instead of {len(want)}"
                for j, (w, g) in enumerate(zip(want, got)):
                    wrong, error = compare(name, w, g, limit)
                    if error is not None and not wrong and name not in DEEP:
                        worst = max(worst, error)
                    problem = problem or (f"round {i} output {j}: {wrong}" if wrong else None)
        except Exception as error:
            problem = str(error).splitlines()[0][:300]
        if problem:
            failed.append((name, problem))
        else:
            good += 1
            if not args.keep:
                os.remove(path + ".onnx")
    for name, problem in failed:
        print(f"FAIL {name}: {problem}")
    print(f"{good} of {good + len(failed)} models agree, largest error {worst:.1e}")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("make", "check"))
    parser.add_argument("folder")
    parser.add_argument("--wherry", default="wherry")
    parser.add_argument("--only", help="names of cases, with commas")
    parser.add_argument("--decompose", action="store_true", help="make: run_decompositions() before saving (core ATen)")
    parser.add_argument("--keep", action="store_true", help="check: keep the ONNX files")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    return make(args) if args.action == "make" else check(args)


if __name__ == "__main__":
    sys.exit(main())
