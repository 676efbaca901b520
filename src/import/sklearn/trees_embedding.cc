// RandomTreesEmbedding: sklearn/ensemble/_forest.py.
#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/tree_data.h"

namespace wherry::sklearn {
namespace {

// one_hot_encoder_.transform(apply(X)): the number of the leaf in each tree, then one column per leaf.
Result<Fitted> lower_trees_embedding(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::vector<View> members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const ValueId x, tree_input(context, estimator, members[0], input, 4));
  Forest forest(1);
  for (std::size_t i = 0; i < members.size(); ++i) {
    TRY_ASSIGN(const Tree tree, read_tree(context, members[i]));
    TRY(forest.append(
        tree, static_cast<std::int32_t>(i), members[i],
        [](std::size_t node, std::vector<double>& out) { out[0] = static_cast<double>(node); }));
  }
  const auto count = static_cast<std::int64_t>(members.size());
  TRY_ASSIGN(const ValueId leaves, forest.finish(context, x, program::TreeInput::kFloat32, count, 1,
                                                 std::vector<double>(members.size())));
  TRY_ASSIGN(const View encoder, estimator.attr("one_hot_encoder_"));
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, lower_transformer(context, encoder, made(leaves, members.size(), {}, false)));
  fitted.transform->names.clear();
  const auto categories = encoder.find("categories_");
  const auto lists = categories ? categories->items() : Result<std::vector<View>>(std::vector<View>());
  std::vector<std::string> names;
  for (std::size_t i = 0; lists && i < lists->size(); ++i) {
    TRY_ASSIGN(const std::vector<std::int64_t> numbers, (*lists)[i].int64s());
    for (const std::int64_t number : numbers) names.push_back(cat("randomtreesembedding_", i, "_", number));
  }
  if (static_cast<std::int64_t>(names.size()) == context.width(*fitted.transform))
    fitted.transform->names = std::move(names);
  return fitted;
}

constexpr EstimatorRow kTreesEmbeddingRows[] = {
    {"RandomTreesEmbedding", "sklearn.ensemble._forest sklearn.ensemble.forest", "one_hot_encoder_",
     lower_trees_embedding},
};

}  // namespace

std::span<const EstimatorRow> trees_embedding_rows() {
  return kTreesEmbeddingRows;
}

}  // namespace wherry::sklearn
