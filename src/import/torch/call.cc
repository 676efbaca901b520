#include "import/torch/call.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::torch {

using base::cat;

Outputs Outputs::many(std::span<const ValueId> values) {
  Outputs out;
  for (const ValueId value : values) out.results.emplace_back(Tensor{value});
  return out;
}

Outputs Outputs::list(std::span<const ValueId> values) {
  Argument::List items;
  for (const ValueId value : values) items.emplace_back(Tensor{value});
  return Argument(std::move(items));
}

const Argument& Call::operator[](std::string_view parameter) const {
  static const Argument kNothing;
  const auto found = std::ranges::find(schema_.parameters, parameter, &Parameter::name);
  if (found == schema_.parameters.end()) return kNothing;
  return bound_[static_cast<std::size_t>(found - schema_.parameters.begin())];
}

ValueId Call::refuse(std::string what) {
  b.fail(base::Error{base::Code::kUnsupported,
                     "torch.unsupported_arguments",
                     cat(b.source().empty() ? "" : cat(b.source(), ": "), schema_.qualified(), ": ", what),
                     "export the model to ONNX with torch.onnx.export, or change this call in the model",
                     {}});
  return kNone;
}

ValueId Call::tensor(std::string_view parameter) {
  const Argument& argument = (*this)[parameter];
  if (const auto* const tensor = argument.get<Tensor>()) return tensor->value;
  if (argument.is_number()) return as_dtype(b, argument, result_type(b, {&argument, 1}));
  return refuse(cat(base::quoted(parameter), " must be a tensor, not ", describe(argument)));
}

ValueId Call::tensor_or_none(std::string_view parameter) {
  return has(parameter) ? tensor(parameter) : kNone;
}

std::vector<ValueId> Call::tensors(std::string_view parameter) {
  std::vector<ValueId> out;
  const auto* const items = (*this)[parameter].get<Argument::List>();
  if (items == nullptr) {
    refuse(cat(base::quoted(parameter), " must be a list of tensors"));
    return out;
  }
  for (const Argument& item : *items) {
    const auto* const tensor = item.get<Tensor>();
    out.push_back(tensor != nullptr ? tensor->value : kNone);
  }
  return out;
}

bool Call::flag(std::string_view parameter, bool otherwise) {
  return integer(parameter, otherwise ? 1 : 0) != 0;
}

std::int64_t Call::integer(std::string_view parameter, std::int64_t otherwise) {
  const Argument& argument = (*this)[parameter];
  if (argument.is_none()) return otherwise;
  if (const auto* const value = argument.get<std::int64_t>()) return *value;
  if (const auto* const value = argument.get<bool>()) return *value ? 1 : 0;
  if (const auto* const value = argument.get<double>()) return static_cast<std::int64_t>(*value);
  const auto* const symbol = argument.get<Symbol>();
  const auto* const tensor = argument.get<Tensor>();
  const ValueId id = symbol != nullptr ? symbol->value : tensor != nullptr ? tensor->value : kNone;
  if (id != kNone)
    if (const auto known = b.known_int(id)) return *known;
  refuse(cat(base::quoted(parameter), " is known only at run time"));
  return otherwise;
}

double Call::number(std::string_view parameter, double otherwise) {
  if (const auto* const value = (*this)[parameter].get<double>()) return *value;
  return static_cast<double>(integer(parameter, static_cast<std::int64_t>(otherwise)));
}

std::string Call::text(std::string_view parameter, std::string_view otherwise) {
  const auto* const value = (*this)[parameter].get<std::string>();
  return value != nullptr ? *value : std::string(otherwise);
}

std::vector<Length> Call::lengths(std::string_view parameter) {
  std::vector<Length> out;
  const Argument& argument = (*this)[parameter];
  if (argument.is_none()) return out;
  const auto* const items = argument.get<Argument::List>();
  if (items == nullptr) {
    refuse(cat(base::quoted(parameter), " must be a list of ints"));
    return out;
  }
  for (const Argument& item : *items) {
    if (const auto* const symbol = item.get<Symbol>()) {
      const auto known = b.known_int(symbol->value);
      out.push_back(known ? Length(*known) : Length(symbol->value));
    } else if (const auto* const tensor = item.get<Tensor>()) {
      const auto known = b.known_int(tensor->value);
      out.push_back(known ? Length(*known) : Length(graph::cast(b, tensor->value, DType::kInt64)));
    } else if (const auto* const number = item.get<std::int64_t>()) {
      out.push_back(*number);
    } else {
      refuse(cat(base::quoted(parameter), " must hold ints, not ", describe(item)));
    }
  }
  return out;
}

Length Call::length(std::string_view parameter) {
  const Argument& argument = (*this)[parameter];
  if (const auto* const symbol = argument.get<Symbol>(); symbol != nullptr && !b.known_int(symbol->value))
    return symbol->value;
  if (const auto* const tensor = argument.get<Tensor>(); tensor != nullptr && !b.known_int(tensor->value))
    return graph::cast(b, tensor->value, DType::kInt64);
  return integer(parameter);
}

Ints Call::ints(std::string_view parameter) {
  Ints out;
  for (const Length& length : lengths(parameter)) {
    const auto* const number = std::get_if<std::int64_t>(&length);
    if (number == nullptr) refuse(cat(base::quoted(parameter), " is known only at run time"));
    out.push_back(number != nullptr ? *number : 1);
  }
  return out;
}

std::vector<double> Call::numbers(std::string_view parameter) {
  std::vector<double> out;
  const auto* const items = (*this)[parameter].get<Argument::List>();
  if (items == nullptr) return out;
  for (const Argument& item : *items) {
    const auto* const real = item.get<double>();
    const auto* const integer = item.get<std::int64_t>();
    if (real == nullptr && integer == nullptr)
      refuse(cat(base::quoted(parameter), " must hold known numbers"));
    out.push_back(real != nullptr ? *real : integer != nullptr ? static_cast<double>(*integer) : 0);
  }
  return out;
}

std::optional<DType> Call::dtype(std::string_view parameter) {
  const auto* const value = (*this)[parameter].get<DType>();
  if (value == nullptr) return std::nullopt;
  return *value;
}

int Call::rank(ValueId value) {
  const int rank = b.rank(value);
  if (rank < 0) refuse("the number of axes of its input is not known");
  return std::max(rank, 0);
}

std::int64_t Call::size(ValueId value, std::int64_t axis) {
  if (b.rank(value) < 0) {
    refuse("the number of axes of its input is not known");
    return 1;
  }
  const graph::Dim dim = b.dim(value, axis);
  if (!dim.known()) refuse(cat("the length of axis ", axis, " is known only at run time"));
  return dim.known() ? dim.number : 1;
}

std::int64_t Call::axis(std::string_view parameter, int rank) {
  const std::int64_t given = integer(parameter);
  const std::int64_t axes = std::max(rank, 1);
  if (given < -axes || given >= axes) {
    refuse(cat("axis ", given, " of a tensor with ", rank));
    return 0;
  }
  return given < 0 ? given + axes : given;
}

Ints Call::axes(std::string_view parameter, int rank) {
  Ints out;
  const std::int64_t count = std::max(rank, 1);
  const Argument& argument = (*this)[parameter];
  const Ints given = argument.get<Argument::List>() != nullptr ? ints(parameter)
                     : argument.is_none()                      ? Ints{}
                                                               : Ints{integer(parameter)};
  for (const std::int64_t axis : given) {
    if (axis < -count || axis >= count) {
      refuse(cat("axis ", axis, " of a tensor with ", rank));
      return {};
    }
    out.push_back(axis < 0 ? axis + count : axis);
  }
  if (given.empty())
    for (int i = 0; i < rank; ++i) out.push_back(i);
  std::ranges::sort(out);
  return out;
}

}  // namespace wherry::torch
