#include "import/tensorflow/merges.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace wherry::tensorflow {
namespace {

// Behind which output of which Switches a value stands: node and output of the condition, and the side.
using Branch = std::tuple<std::int32_t, std::uint32_t, bool>;
using Branches = std::set<Branch>;
constexpr std::size_t kMostBranches = 64;

bool is_switch(const NodeDef& node) {
  return node.op == "Switch" || node.op == "RefSwitch";
}
bool is_merge(const NodeDef& node) {
  return node.op == "Merge" || node.op == "RefMerge";
}

class Conditions {
 public:
  explicit Conditions(Flat& flat) : flat_(flat), of_node_(flat.nodes.size()) {}

  void run() {
    for (std::size_t i = 0; i < flat_.nodes.size(); ++i) {
      Flat::Node& node = flat_.nodes[i];
      Branches& own = of_node_[i];
      for (const Flat::Ref& input : node.inputs) {
        const Branches before = of(input);
        own.insert(before.begin(), before.end());
      }
      if (is_merge(*node.def) && node.inputs.size() == 2) join(node, own);
      while (own.size() > kMostBranches) own.erase(own.begin());
    }
  }

 private:
  Branches of(const Flat::Ref& ref) const {
    if (ref.node < 0) return {};
    Branches branches = of_node_[static_cast<std::size_t>(ref.node)];
    const Flat::Node& node = flat_.nodes[static_cast<std::size_t>(ref.node)];
    if (is_switch(*node.def) && node.inputs.size() == 2)
      branches.emplace(node.inputs[1].node, node.inputs[1].output, ref.output == 1);
    return branches;
  }

  // The one condition of which the first input stands on the false side or the second one on the true side.
  void join(Flat::Node& merge, Branches& own) {
    const Branches no = of(merge.inputs[0]), yes = of(merge.inputs[1]);
    std::optional<Flat::Ref> condition;
    for (const auto& [node, output, side] : own) {
      const bool chosen = side ? yes.contains({node, output, true}) && !no.contains({node, output, true})
                               : no.contains({node, output, false}) && !yes.contains({node, output, false});
      if (!chosen) continue;
      if (condition && (condition->node != node || condition->output != output)) return;  // not the only one
      condition = Flat::Ref{node, output};
    }
    if (!condition) return;
    merge.inputs.push_back(*condition);
    own.erase({condition->node, condition->output, false});
    own.erase({condition->node, condition->output, true});
  }

  Flat& flat_;
  std::vector<Branches> of_node_;
};

}  // namespace

void add_conditions(Flat& flat) {
  if (std::ranges::any_of(flat.nodes, [](const Flat::Node& node) { return is_merge(*node.def); }))
    Conditions(flat).run();
}

}  // namespace wherry::tensorflow
