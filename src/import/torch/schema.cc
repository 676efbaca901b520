#include "import/torch/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;

struct BaseName {
  std::string_view text;
  Base base;
};

constexpr auto kBases = std::to_array<BaseName>({
    {"Tensor", Base::kTensor},
    {"Scalar", Base::kScalar},
    {"number", Base::kScalar},
    {"SymInt", Base::kInt},
    {"int", Base::kInt},
    {"SymFloat", Base::kFloat},
    {"float", Base::kFloat},
    {"SymBool", Base::kBool},
    {"bool", Base::kBool},
    {"str", Base::kString},
    {"ScalarType", Base::kDType},
    {"Device", Base::kDevice},
    {"Layout", Base::kLayout},
    {"MemoryFormat", Base::kMemoryFormat},
});

// Defaults which PyTorch prints as words. Reductions are numbers (at::Reduction).
struct Word {
  std::string_view text;
  std::int64_t number;
};
constexpr auto kWords = std::to_array<Word>({{"None", 0}, {"Mean", 1}, {"Sum", 2}});

std::unexpected<base::Error> bad_call(const Schema& schema, std::string what) {
  return base::fail(base::Code::kInvalidInput, "torch.bad_call", cat(schema.qualified(), ": ", what),
                    "the file is damaged, or was written by a version of PyTorch which wherry does not know");
}

class SchemaParser {
 public:
  explicit SchemaParser(std::string_view text) : text_(text) {}

  Result<Schema> parse() {
    Schema out;
    const std::string_view name = until("(");
    const std::size_t dot = name.find('.', name.find("::"));
    out.name = std::string(name.substr(0, dot));
    out.overload = dot == std::string_view::npos ? "default" : std::string(name.substr(dot + 1));
    if (out.name.find("::") == std::string::npos) return wrong("no namespace");
    if (!take("(")) return wrong("no parameters");
    bool keyword_only = false;
    while (!take(")")) {
      if (at_ == text_.size()) return wrong("no ')'");
      if (take("*")) {
        keyword_only = true;
      } else {
        TRY_ASSIGN(Parameter parameter, this->parameter());
        parameter.keyword_only = keyword_only;
        out.parameters.push_back(std::move(parameter));
      }
      take(",");
    }
    if (!take("->")) return wrong("no '->'");
    const std::string_view returns = base::trim(text_.substr(at_));
    out.returns_view = returns.starts_with("Tensor(a)") || returns.starts_with("(Tensor(a)");
    out.returns = count_returns(returns);
    return out;
  }

 private:
  std::unexpected<base::Error> wrong(std::string what) const {
    return base::fail(base::Code::kInternal, "torch.bad_call",
                      cat("schema ", base::quoted(text_), ": ", what));
  }

  static std::size_t count_returns(std::string_view returns) {
    if (returns == "()") return 0;
    if (!returns.starts_with("(")) return 1;
    return static_cast<std::size_t>(std::ranges::count(returns, ',')) + 1;
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::string_view until(std::string_view ends) {
    skip_space();
    const std::size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    const std::string_view found = text_.substr(at_, end - at_);
    at_ = end;
    return found;
  }

  Result<Parameter> parameter() {
    Parameter out;
    const std::string_view base = until("([? ");
    const auto row = std::ranges::find(kBases, base, &BaseName::text);
    out.base = row != kBases.end() ? row->base : Base::kAny;
    if (take("(")) {  // Tensor(a!), Tensor(a -> *)
      const std::string_view alias = until(")");
      out.written = alias.find('!') != std::string_view::npos;
      out.view = !out.written;
      take(")");
    }
    if (take("?")) out.optional = true;
    if (take("[")) {
      out.list = true;
      out.optional_items = std::exchange(out.optional, false);
      const auto size = base::parse_unsigned(until("]"));
      out.list_size = size ? static_cast<std::size_t>(*size) : 0;
      take("]");
      if (take("(")) until(")"), take(")");
      if (take("?")) out.optional = true;
    }
    out.name = std::string(until("=,)"));
    if (out.name.empty()) return wrong("a parameter without a name");
    if (take("=")) {
      TRY_ASSIGN(out.otherwise, literal(out));
    }
    return out;
  }

  Result<Argument> literal(const Parameter& parameter) {
    if (take("[")) {
      Argument::List items;
      while (!take("]")) {
        if (at_ == text_.size()) return wrong("no ']'");
        TRY_ASSIGN(Argument item, literal(parameter));
        items.push_back(std::move(item));
        take(",");
      }
      return Argument(std::move(items));
    }
    if (take("\"")) {
      const std::string text(until("\""));
      take("\"");
      return Argument(text);
    }
    if (take("'")) {
      const std::string text(until("'"));
      take("'");
      return Argument(text);
    }
    return word(base::trim(until(",)]")), parameter);
  }

  Result<Argument> word(std::string_view text, const Parameter& parameter) {
    if (text == "None") return Argument();
    if (text == "True" || text == "False") return Argument(text == "True");
    if (text == "contiguous_format") return Argument(MemoryFormat{0});
    if (text == "strided") return Argument(Layout{0});
    if (text == "long") return Argument(tensor::DType::kInt64);
    if (text == "float") return Argument(tensor::DType::kFloat32);
    const auto named = std::ranges::find(kWords, text, &Word::text);
    if (named != kWords.end()) return Argument(named->number);
    std::int64_t integer = 0;
    const char* const end = text.data() + text.size();
    if (const auto [stop, error] = std::from_chars(text.data(), end, integer);
        error == std::errc() && stop == end)
      return parameter.base == Base::kFloat ? Argument(static_cast<double>(integer)) : Argument(integer);
    double real = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, real);
        error == std::errc() && stop == end)
      return Argument(real);
    return wrong(cat("the default ", base::quoted(text), " is unknown"));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_int(const Argument& argument, bool strictly) {
  return argument.get<std::int64_t>() != nullptr || argument.get<Symbol>() != nullptr ||
         (!strictly && (argument.get<bool>() != nullptr || argument.get<Tensor>() != nullptr));
}

bool accepts_item(Base base, const Argument& argument, bool strictly) {
  switch (base) {
    case Base::kTensor:
      return argument.get<Tensor>() != nullptr || (!strictly && argument.is_number());
    case Base::kScalar:
      return argument.is_number() || (!strictly && argument.get<Tensor>() != nullptr);
    case Base::kInt:
      return is_int(argument, strictly);
    case Base::kFloat:
      return argument.get<double>() != nullptr || argument.get<Symbol>() != nullptr ||
             (!strictly && (argument.is_number() || argument.get<Tensor>() != nullptr));
    case Base::kBool:
      return argument.get<bool>() != nullptr || argument.get<Symbol>() != nullptr ||
             (!strictly && argument.get<std::int64_t>() != nullptr);
    case Base::kString:
      return argument.get<std::string>() != nullptr;
    case Base::kDType:
      return argument.get<tensor::DType>() != nullptr || argument.get<std::int64_t>() != nullptr;
    case Base::kDevice:
      return argument.get<Device>() != nullptr || argument.get<std::string>() != nullptr;
    case Base::kLayout:
      return argument.get<Layout>() != nullptr || argument.get<std::int64_t>() != nullptr;
    case Base::kMemoryFormat:
      return argument.get<MemoryFormat>() != nullptr || argument.get<std::int64_t>() != nullptr;
    case Base::kAny:
      return true;
  }
  return false;
}

// The conversions which bind() promises.
Result<Argument> converted(const Schema& schema, const Parameter& parameter, Argument argument) {
  if (argument.is_none()) return argument;
  if (parameter.list) {
    if (auto* const items = std::get_if<Argument::List>(&argument.value)) {
      Parameter item = parameter;
      item.list = false;
      for (Argument& each : *items) {
        TRY_ASSIGN(each, converted(schema, item, std::move(each)));
      }
      return argument;
    }
    const std::size_t copies = std::max<std::size_t>(parameter.list_size, 1);
    return Argument(Argument::List(copies, argument));
  }
  const auto* const integer = argument.get<std::int64_t>();
  switch (parameter.base) {
    case Base::kFloat:
      if (integer != nullptr) return Argument(static_cast<double>(*integer));
      if (const auto* const flag = argument.get<bool>()) return Argument(*flag ? 1.0 : 0.0);
      return argument;
    case Base::kInt:
      if (const auto* const flag = argument.get<bool>()) return Argument(std::int64_t{*flag ? 1 : 0});
      return argument;
    case Base::kBool:
      if (integer != nullptr) return Argument(*integer != 0);
      return argument;
    case Base::kDType: {
      if (integer == nullptr) return argument;
      const auto dtype = dtype_of_c10(*integer);
      if (!dtype)
        return base::fail(
            base::Code::kUnsupported, "torch.unsupported_dtype",
            cat(schema.qualified(), ": dtype number ", *integer, " is complex, quantised or unknown"),
            "use a model whose tensors are float, int or bool");
      return Argument(*dtype);
    }
    default:
      return argument;
  }
}

}  // namespace

std::string Schema::qualified() const {
  return cat(name, ".", overload);
}

Result<Schema> parse_schema(std::string_view text) {
  return SchemaParser(text).parse();
}

bool accepts(const Parameter& parameter, const Argument& argument, bool strictly) {
  if (argument.is_none()) return parameter.optional || parameter.base == Base::kAny;
  if (!parameter.list) return accepts_item(parameter.base, argument, strictly);
  const auto* const items = argument.get<Argument::List>();
  if (items == nullptr)
    return (!strictly || parameter.list_size > 0) && parameter.base != Base::kTensor &&
           accepts_item(parameter.base, argument, strictly);
  return std::ranges::all_of(*items, [&](const Argument& item) {
    return (item.is_none() && parameter.optional_items) || accepts_item(parameter.base, item, strictly);
  });
}

Result<std::vector<Argument>> bind(const Schema& schema, std::vector<Argument> positional,
                                   std::vector<NamedArgument> keywords) {
  const auto& parameters = schema.parameters;
  if (positional.size() > parameters.size())
    return bad_call(schema, cat(positional.size(), " arguments, it takes ", parameters.size()));
  std::vector<std::optional<Argument>> given(parameters.size());
  for (std::size_t i = 0; i < positional.size(); ++i) given[i] = std::move(positional[i]);
  for (NamedArgument& keyword : keywords) {
    const auto found = std::ranges::find(parameters, keyword.name, &Parameter::name);
    if (found == parameters.end())
      return bad_call(schema, cat("it has no parameter ", base::quoted(keyword.name)));
    auto& slot = given[static_cast<std::size_t>(found - parameters.begin())];
    if (slot) return bad_call(schema, cat("two arguments for ", base::quoted(keyword.name)));
    slot = std::move(keyword.argument);
  }
  std::vector<Argument> out;
  out.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (!given[i]) {
      if (!parameter.otherwise && !parameter.optional)
        return bad_call(schema, cat("no argument for ", base::quoted(parameter.name)));
      out.push_back(parameter.otherwise.value_or(Argument()));
    } else {
      if (!accepts(parameter, *given[i], false))
        return bad_call(schema, cat(base::quoted(parameter.name), " cannot be ", describe(*given[i])));
      TRY_ASSIGN(Argument argument, converted(schema, parameter, std::move(*given[i])));
      out.push_back(std::move(argument));
    }
    if (parameter.otherwise && parameter.list && !given[i] && !out.back().is_none()) {
      TRY_ASSIGN(out.back(), converted(schema, parameter, std::move(out.back())));
    }
  }
  return out;
}

}  // namespace wherry::torch
