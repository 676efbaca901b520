// What `inspect` says about the estimators of a file.
#include <algorithm>
#include <set>

#include "import/sklearn/registry.h"
#include "import/sklearn/sklearn.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;
using program::EstimatorLine;
using program::GlobalUse;
using program::ManifestEntry;

constexpr std::size_t kMostLines = 1'000;
constexpr int kDeepest = 32;

std::string counted(std::uint64_t count, std::string_view noun) {
  return cat(count, " ", noun, count == 1 ? "" : "s");
}

std::uint64_t first_dimension(const View& view) {
  const auto array = view.array();
  return array && !array->shape.empty() ? static_cast<std::uint64_t>(array->shape[0]) : 0;
}

std::uint64_t nodes_of(const View& holder, std::string_view attribute) {
  const auto view = holder.find(attribute);
  return view ? first_dimension(*view) : 0;
}

struct Trees {
  std::uint64_t trees = 0;
  std::uint64_t nodes = 0;
  bool enough() const { return trees >= 1'000'000; }  // a list may hold the same tree many times
};

void count_members(const View& list, Trees& trees) {
  std::vector<View> members;
  if (const auto array = list.array(); array && array->shape.size() == 2) {
    for (const pickle::Object* element : array->elements) members.emplace_back(*element, "");
  } else if (auto items = list.items()) {
    members = *std::move(items);
  }
  for (const View& member : members) {
    if (trees.enough()) return;
    const auto tree = member.find("tree_");
    if (!tree) continue;
    ++trees.trees;
    trees.nodes += nodes_of(*tree, "nodes");
  }
}

Trees count_trees(const View& estimator) {
  Trees out;
  if (const auto tree = estimator.find("tree_")) return {1, nodes_of(*tree, "nodes")};
  if (const auto members = estimator.find("estimators_")) count_members(*members, out);
  if (const auto iterations = estimator.find("_predictors")) {
    const auto rounds = iterations->items();
    for (const View& round : rounds ? *rounds : std::vector<View>()) {
      const auto predictors = round.items();
      for (const View& predictor : predictors ? *predictors : std::vector<View>()) {
        if (out.enough()) return out;
        ++out.trees;
        out.nodes += nodes_of(predictor, "nodes");
      }
    }
  }
  return out;
}

std::string description(const View& estimator) {
  std::vector<std::string> parts;
  const auto columns = estimator.find("n_features_in_");
  if (const auto count = columns ? columns->as_int() : Result<std::int64_t>(-1); count && *count >= 0)
    parts.push_back(counted(static_cast<std::uint64_t>(*count), "column"));
  if (const Trees trees = count_trees(estimator); trees.trees > 0) {
    parts.push_back(counted(trees.trees, "tree"));
    parts.push_back(counted(trees.nodes, "node"));
  }
  if (const auto categories = estimator.find("categories_")) {
    std::uint64_t total = 0;
    const auto arrays = categories->items();
    for (const View& array : arrays ? *arrays : std::vector<View>()) total += first_dimension(array);
    parts.push_back(total == 1 ? "1 category" : cat(total, " categories"));
  }
  if (const auto terms = estimator.find("vocabulary_"))
    if (const auto size = terms->size()) parts.push_back(counted(*size, "term"));
  if (const auto classes = estimator.find("classes_"))
    if (const std::uint64_t count = first_dimension(*classes); count > 0)
      parts.push_back(count == 1 ? "1 class" : cat(count, " classes"));
  return base::join(parts, ", ");
}

class Walker {
 public:
  explicit Walker(std::vector<EstimatorLine>& lines) : lines_(lines) {}

  void walk(const View& estimator, std::string role, int depth) {
    if (lines_.size() >= kMostLines || depth > kDeepest) return;
    if (estimator.is(Kind::kStr)) {  // 'passthrough', 'drop', 'zero'
      lines_.push_back({depth, std::move(role), std::string(estimator->text()), ""});
      return;
    }
    const std::string name = estimator.class_name();
    if (name.empty()) return;
    const EstimatorRow* row = find_row(name);
    const bool own = name.starts_with("sklearn.");
    lines_.push_back({depth, std::move(role), own ? short_class(estimator) : name,
                      row == nullptr             ? "not supported"
                      : row->describe != nullptr ? row->describe(estimator)
                                                 : description(estimator)});
    if (row == nullptr) return;
    for (const auto attribute : base::split(row->children, ' '))
      if (!attribute.empty()) children(estimator, attribute, depth + 1);
  }

 private:
  void children(const View& estimator, std::string_view attribute, int depth) {
    auto view = estimator.find(attribute);
    // Before fit() a ColumnTransformer has only transformers, a search only estimator.
    if (!view && attribute == "transformers_") view = estimator.find(attribute = "transformers");
    if (!view && attribute == "best_estimator_") view = estimator.find(attribute = "estimator");
    if (!view || view->is_none()) return;
    if (!view->is(Kind::kList) && !view->is(Kind::kTuple)) {
      walk(*view, std::string(attribute), depth);
      return;
    }
    const auto items = view->items();
    for (std::size_t i = 0; items && i < items->size(); ++i) {
      if (!(*items)[i].class_name().empty()) {
        walk((*items)[i], cat(attribute, "[", i, "]"), depth);
        continue;
      }
      const auto name = (*items)[i].item(0);
      const auto child = (*items)[i].item(1);
      if (!name || !child || !name->is(Kind::kStr)) continue;
      walk(*child, cat(attribute, "[", i, "] ", base::quoted(name->object().text())), depth);
    }
  }

  std::vector<EstimatorLine>& lines_;
};

std::string version_of(const View& root) {
  const auto view = root.find("_sklearn_version");
  const auto text = view ? view->as_string() : Result<std::string>("");
  return text ? *text : "";
}

// imbalanced-learn's pipelines do not say it, but their steps do.
std::string version_of_steps(const View& root) {
  if (!root.class_name().starts_with("imblearn.")) return "";
  const auto list = root.find("steps");
  const auto steps = list ? list->items() : Result<std::vector<View>>(std::vector<View>());
  for (const View& step : steps ? *steps : std::vector<View>())
    if (const auto part = step.item(1))
      if (std::string version = version_of(*part); !version.empty()) return version;
  return "";
}

std::vector<ManifestEntry> manifest_of(const pickle::Document& document) {
  std::vector<ManifestEntry> out;
  for (const pickle::GlobalUse& use : document.imports()) {
    const pickle::Global& global = use.object->global();
    out.push_back({use.qualified(), static_cast<std::int64_t>(use.count),
                   classify(global.module, global.name, use.called)});
  }
  std::ranges::stable_partition(out,
                                [](const ManifestEntry& entry) { return entry.use == GlobalUse::kRefused; });
  return out;
}

}  // namespace

Inspection describe(const pickle::Document& document) {
  Inspection out;
  const View root = document.view();
  out.framework_version = version_of(root);
  if (out.framework_version.empty()) out.framework_version = version_of_steps(root);
  Walker(out.estimators).walk(root, "", 0);
  out.manifest = manifest_of(document);
  return out;
}

}  // namespace wherry::sklearn
