#include <optional>
#include <type_traits>

#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using program::ValueId;

struct Place {
  ValueId value;
  std::size_t column;
};

// Where a column of an operation's output was before it, if it only passed through: one overload for each
// operation that keeps columns apart.
class Origin {
 public:
  Origin(const Skeleton& skeleton, const program::Node& node, std::size_t column)
      : skeleton_(skeleton), node_(node), column_(column) {}

  std::optional<Place> operator()(const program::SelectColumns& op) const { return at(op.columns[column_]); }
  std::optional<Place> operator()(const program::Impute& op) const { return at(op.kept[column_]); }
  std::optional<Place> operator()(const program::ImputeCells& op) const { return at(op.kept[column_]); }
  std::optional<Place> operator()(const program::MissingMask& op) const { return at(op.columns[column_]); }

  std::optional<Place> operator()(const program::Concat&) const {
    std::size_t column = column_;
    for (const ValueId input : node_.inputs) {
      const auto width = static_cast<std::size_t>(program::width(skeleton_.types[input]));
      if (column < width) return Place{input, column};
      column -= width;
    }
    return std::nullopt;
  }

  std::optional<Place> operator()(const program::OneHot& op) const {
    auto column = static_cast<std::int64_t>(column_);
    for (std::size_t j = 0; j < op.columns.size(); ++j) {
      if (column < op.columns[j].width) return at(static_cast<std::int64_t>(j));
      column -= op.columns[j].width;
    }
    return std::nullopt;
  }

  template <class Op>
  std::optional<Place> operator()(const Op&) const {
    constexpr bool kKeepsColumns =
        std::is_same_v<Op, program::ToMatrix> || std::is_same_v<Op, program::CheckFinite> ||
        std::is_same_v<Op, program::Columnwise> || std::is_same_v<Op, program::Clip> ||
        std::is_same_v<Op, program::Apply> || std::is_same_v<Op, program::Power> ||
        std::is_same_v<Op, program::Threshold> || std::is_same_v<Op, program::CheckLeast> ||
        std::is_same_v<Op, program::Ordinal> || std::is_same_v<Op, program::ToDense> ||
        std::is_same_v<Op, program::ToSparse> || std::is_same_v<Op, program::WithConstant> ||
        std::is_same_v<Op, program::ReplaceNonFinite> || std::is_same_v<Op, program::PowerTransform> ||
        std::is_same_v<Op, program::Quantiles> || std::is_same_v<Op, program::Bins>;
    if constexpr (kKeepsColumns) return at(static_cast<std::int64_t>(column_));
    return std::nullopt;
  }

 private:
  std::optional<Place> at(std::int64_t column) const {
    return Place{node_.inputs[0], static_cast<std::size_t>(column)};
  }

  const Skeleton& skeleton_;
  const program::Node& node_;
  std::size_t column_;
};

}  // namespace

std::string column_name(const Skeleton& skeleton, ValueId value, std::size_t column) {
  Place place{value, column};
  while (place.value != program::ProgramBuilder::kInput) {
    const program::Node& node = skeleton.nodes[place.value - 1];
    const std::optional<Place> before = std::visit(Origin(skeleton, node, place.column), node.op);
    if (!before) return base::cat("derived feature ", column);
    place = *before;
  }
  return base::cat("column ", base::quoted(skeleton.signature.columns[place.column].name));
}

}  // namespace wherry::engine
