// GridSearchCV and its relatives: sklearn/model_selection/_search.py.
#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

// Every method is that of best_estimator_.
Result<Fitted> lower_search(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View best, estimator.attr("best_estimator_"));
  return lower_estimator(context, best, input);
}

constexpr std::string_view kSearch = "sklearn.model_selection._search";
constexpr std::string_view kHalving = "sklearn.model_selection._search_successive_halving";

constexpr EstimatorRow kSearchRows[] = {
    {"GridSearchCV", kSearch, "best_estimator_", lower_search, "best_estimator_", nullptr, "best_estimator_"},
    {"RandomizedSearchCV", kSearch, "best_estimator_", lower_search, "best_estimator_", nullptr,
     "best_estimator_"},
    {"HalvingGridSearchCV", kHalving, "best_estimator_", lower_search, "best_estimator_", nullptr,
     "best_estimator_"},
    {"HalvingRandomSearchCV", kHalving, "best_estimator_", lower_search, "best_estimator_", nullptr,
     "best_estimator_"},
};

}  // namespace

std::span<const EstimatorRow> search_rows() {
  return kSearchRows;
}

}  // namespace wherry::sklearn
