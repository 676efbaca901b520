#include "import/lightgbm/objective.h"

#include <cmath>
#include <optional>

namespace wherry::lightgbm {
namespace {

using program::Function;
using program::ValueId;

enum class Link {
  kIdentity,
  kSquare,         // "regression sqrt": sign(x) x²; without sqrt the identity
  kSigmoid,        // 1 / (1 + exp(-sigmoid x))
  kClassSigmoids,  // the same for each class
  kExpit,
  kExp,
  kLog1pExp,
  kSoftmax,
};

struct Objective {
  std::string_view name;
  Link link;
};

// Names as files have them, and the aliases ParseObjectiveAlias takes (include/LightGBM/config.h).
constexpr Objective kObjectives[] = {
    {"regression", Link::kSquare},
    {"regression_l2", Link::kSquare},
    {"mean_squared_error", Link::kSquare},
    {"mse", Link::kSquare},
    {"l2", Link::kSquare},
    {"l2_root", Link::kSquare},
    {"root_mean_squared_error", Link::kSquare},
    {"rmse", Link::kSquare},
    {"regression_l1", Link::kSquare},
    {"mean_absolute_error", Link::kSquare},
    {"l1", Link::kSquare},
    {"mae", Link::kSquare},
    {"huber", Link::kSquare},
    {"fair", Link::kSquare},
    {"quantile", Link::kSquare},
    {"mape", Link::kSquare},
    {"mean_absolute_percentage_error", Link::kSquare},
    {"poisson", Link::kExp},
    {"gamma", Link::kExp},
    {"tweedie", Link::kExp},
    {"binary", Link::kSigmoid},
    {"multiclass", Link::kSoftmax},
    {"softmax", Link::kSoftmax},
    {"multiclassova", Link::kClassSigmoids},
    {"multiclass_ova", Link::kClassSigmoids},
    {"ova", Link::kClassSigmoids},
    {"ovr", Link::kClassSigmoids},
    {"cross_entropy", Link::kExpit},
    {"xentropy", Link::kExpit},
    {"cross_entropy_lambda", Link::kLog1pExp},
    {"xentlambda", Link::kLog1pExp},
    {"lambdarank", Link::kIdentity},
    {"rank_xendcg", Link::kIdentity},
    {"xendcg", Link::kIdentity},
    {"xe_ndcg", Link::kIdentity},
    {"xe_ndcg_mart", Link::kIdentity},
    {"xendcg_mart", Link::kIdentity},
    {"custom", Link::kIdentity},
    {"none", Link::kIdentity},
    {"null", Link::kIdentity},
    {"na", Link::kIdentity},
};

bool takes_any_outputs(const Objective& objective) {
  return objective.name == "custom" || objective.name == "none" || objective.name == "null" ||
         objective.name == "na";
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Common::Atof of a plain decimal number, which rounds at each step; what it makes of an exponent is not
// needed: parameters of 1e-5 and less are written as such and refused.
std::optional<double> lightgbm_atof(std::string_view text) {
  std::size_t at = 0;
  double value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) value = value * 10.0 + (text[at] - '0');
  if (at < text.size() && text[at] == '.') {
    double right = 0, scale = 1;
    for (++at; at < text.size() && is_digit(text[at]); ++at) {
      right = (text[at] - '0') + right * 10.0;
      scale *= 10.0;  // Pow(10.0, nn): exact up to 10^22
    }
    value += right / scale;
  }
  if (at != text.size() || text.empty() || !(value > 0) || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::unexpected<base::Error> unsupported(const Model& model, std::string_view why) {
  return base::fail(base::Code::kUnsupported, "lightgbm.unsupported_objective",
                    cat("objective ", base::quoted(model.objective), ": ", why),
                    "serve the raw scores: train or reload the model with objective 'custom'");
}

// The value of "key:…" among the words of the objective.
std::optional<std::string_view> parameter(const Model& model, std::string_view key) {
  for (const std::string_view word : base::split(model.objective, ' '))
    if (word.starts_with(key) && word.substr(key.size()).starts_with(':')) return word.substr(key.size() + 1);
  return std::nullopt;
}

bool has_word(const Model& model, std::string_view word) {
  for (const std::string_view other : base::split(model.objective, ' '))
    if (other == word) return true;
  return false;
}

Result<ValueId> add_sigmoid(program::ProgramBuilder& builder, const Model& model, ValueId raw) {
  const auto text = parameter(model, "sigmoid");
  if (!text) return unsupported(model, "no sigmoid parameter");
  const auto sigmoid = lightgbm_atof(*text);
  if (!sigmoid) return unsupported(model, "its sigmoid parameter is no positive decimal number");
  if (*sigmoid != 1) {
    const auto weight = builder.weight("sigmoid", tensor::Tensor::of({1}, std::vector<double>{*sigmoid}));
    TRY_ASSIGN(raw, builder.add(program::Columnwise{program::Arithmetic::kMultiply, weight}, {raw}));
  }
  return builder.add(program::Apply{Function::kExpit}, {raw});
}

Status check_outputs(const Model& model, const Objective& objective) {
  const bool is_multiclass = objective.link == Link::kSoftmax || objective.link == Link::kClassSigmoids;
  if (is_multiclass) {
    const auto classes = parameter(model, "num_class");
    if (classes && base::parse_unsigned(*classes) == static_cast<std::uint64_t>(model.outputs)) return {};
  } else if (model.outputs == 1 || takes_any_outputs(objective)) {
    return {};
  }
  return inconsistent(cat("objective ", base::quoted(model.objective)),
                      cat(model.outputs, " trees per iteration"));
}

}  // namespace

Result<ValueId> add_objective(program::ProgramBuilder& builder, const Model& model, ValueId raw) {
  if (base::trim(model.objective).empty()) return raw;
  const std::string_view name = base::split(model.objective, ' ')[0];
  const Objective* objective = nullptr;
  for (const Objective& row : kObjectives)
    if (row.name == name) objective = &row;
  if (objective == nullptr) return unsupported(model, "LightGBM has none of that name");
  TRY(check_outputs(model, *objective));
  switch (objective->link) {
    case Link::kIdentity:
      return raw;
    case Link::kSquare:
      return has_word(model, "sqrt") ? builder.add(program::Apply{Function::kSignedSquare}, {raw}) : raw;
    case Link::kSigmoid:
    case Link::kClassSigmoids:
      return add_sigmoid(builder, model, raw);
    case Link::kExpit:
      return builder.add(program::Apply{Function::kExpit}, {raw});
    case Link::kExp:
      return builder.add(program::Apply{Function::kExp}, {raw});
    case Link::kLog1pExp: {
      TRY_ASSIGN(const ValueId power, builder.add(program::Apply{Function::kExp}, {raw}));
      return builder.add(program::Apply{Function::kLog1p}, {power});
    }
    case Link::kSoftmax:
      return builder.add(program::Softmax{.row_sum = program::RowSum::kSequential}, {raw});
  }
  return raw;
}

}  // namespace wherry::lightgbm
