// How deep objects are nested, without recursion.
#include <algorithm>

#include "base/text.h"
#include "import/pickle/heap.h"

namespace wherry::pickle {

namespace {

// Child number `index` of a container, or null past the last. Children that cannot hold others are skipped by
// the caller.
const Object* entry_child(const std::vector<Entry>& entries, std::size_t index) {
  return index % 2 == 0 ? entries[index / 2].key : entries[index / 2].value;
}

const Object* call_child(const Call& call, std::size_t index) {
  if (index == 0) return call.callee;
  if (--index < call.args.size()) return call.args[index];
  index -= call.args.size();
  if (call.kwargs != nullptr && index-- == 0) return call.kwargs;
  if (index < call.states.size()) return call.states[index];
  index -= call.states.size();
  if (index < call.items.size()) return call.items[index];
  index -= call.items.size();
  return index < call.entries.size() * 2 ? entry_child(call.entries, index) : nullptr;
}

const Object* mapping_child(const Mapping& mapping, std::size_t index) {
  if (index < mapping.entries.size() * 2) return entry_child(mapping.entries, index);
  index -= mapping.entries.size() * 2;
  if (mapping.default_factory != nullptr && index-- == 0) return mapping.default_factory;
  return index < mapping.states.size() ? mapping.states[index] : nullptr;
}

const Object* child_at(const Object& container, std::size_t index) {
  switch (container.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
      return index < container.items().size() ? container.items()[index] : nullptr;
    case Kind::kDict:
      return mapping_child(container.mapping(), index);
    case Kind::kCall:
      return call_child(container.call(), index);
    case Kind::kArray:
    case Kind::kScalar:
      return index < container.array().elements.size() ? container.array().elements[index] : nullptr;
    default:
      return nullptr;
  }
}

bool is_container(const Object& object) {
  switch (object.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
    case Kind::kDict:
    case Kind::kCall:
      return true;
    case Kind::kArray:
    case Kind::kScalar:
      return !object.array().elements.empty();
    default:
      return false;
  }
}

struct Visit {
  Object* object;
  std::size_t next_child;
  std::uint32_t deepest_child;
};

constexpr std::uint32_t kInProgress = 0xffff;

}  // namespace

base::Status Heap::measure_depth(Object& root) {
  const std::uint64_t most = std::min<std::uint64_t>(limits_.nesting, kInProgress - 1);
  std::vector<Visit> way;
  const auto enter = [&](Object& object) {
    object.depth_ = kInProgress;
    way.push_back({&object, 0, 0});
  };
  if (is_container(root)) enter(root);
  while (!way.empty()) {
    if (way.size() > most)
      return base::fail(
          base::Code::kLimit, "pickle.limit_depth",
          base::cat("offset ", way.back().object->offset(), ": objects are nested deeper than ", most),
          "no model of a framework is nested so deeply; the file may be hostile");
    Visit& visit = way.back();
    const Object* child = child_at(*visit.object, visit.next_child++);
    if (child == nullptr) {
      const std::uint32_t depth = visit.deepest_child + 1;
      visit.object->depth_ = static_cast<std::uint16_t>(depth);
      way.pop_back();
      if (!way.empty()) way.back().deepest_child = std::max(way.back().deepest_child, depth);
    } else if (child->depth_ == 0) {
      if (is_container(*child)) enter(const_cast<Object&>(*child));
    } else if (child->depth_ != kInProgress) {
      if (visit.deepest_child < child->depth_) visit.deepest_child = child->depth_;
      if (way.size() + child->depth_ > most)
        return base::fail(base::Code::kLimit, "pickle.limit_depth",
                          base::cat("offset ", child->offset(), ": objects are nested deeper than ", most),
                          "no model of a framework is nested so deeply; the file may be hostile");
    }
  }
  return {};
}

}  // namespace wherry::pickle
