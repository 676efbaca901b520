// GridSearchCV and its relatives: sklearn/model_selection/_search.py.
#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

// Every method is that of best_estimator_.
Result<Fitted> lower_search(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View best, estimator.attr("best_estimator_"));
  return lower_estimator(context, best, input);
}

}  // namespace wherry::sklearn
