// Opcodes that make and fill lists, tuples, dicts and sets.
#include <array>

#include "base/text.h"
#include "import/pickle/machine.h"

namespace wherry::pickle {

base::Status Machine::op_empty_list() {
  push(heap_.sequence(Kind::kList, {}, opcode_at_));
  return {};
}

base::Status Machine::op_list() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  Object* const list = heap_.sequence(Kind::kList, {}, opcode_at_);
  heap_.append(*list, items);
  push(list);
  return {};
}

base::Status Machine::op_append() {
  TRY_ASSIGN(const std::span<Object*> pair, top_items(2));
  if (pair[0]->kind() != Kind::kList && pair[0]->kind() != Kind::kCall)
    return malformed("pickle.bad_operand",
                     base::cat("the target is ", name(pair[0]->kind()), ", not a list"));
  heap_.append(*pair[0], std::array{pair[1]});
  drop(1);
  return {};
}

base::Status Machine::op_appends() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  TRY_ASSIGN(Object* const list, top());
  if (list->kind() != Kind::kList && list->kind() != Kind::kCall)
    return malformed("pickle.bad_operand", base::cat("the target is ", name(list->kind()), ", not a list"));
  heap_.append(*list, items);
  return {};
}

base::Status Machine::op_empty_tuple() {
  push(heap_.tuple({}, opcode_at_));
  return {};
}

base::Status Machine::op_tuple() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  push(heap_.tuple(items, opcode_at_));
  return {};
}

base::Status Machine::tuple_of(std::size_t count) {
  TRY_ASSIGN(const std::span<Object*> items, top_items(count));
  Object* const tuple = heap_.tuple(items, opcode_at_);
  drop(count);
  push(tuple);
  return {};
}

base::Status Machine::op_tuple1() {
  return tuple_of(1);
}
base::Status Machine::op_tuple2() {
  return tuple_of(2);
}
base::Status Machine::op_tuple3() {
  return tuple_of(3);
}

base::Status Machine::op_empty_dict() {
  push(heap_.dict(opcode_at_));
  return {};
}

base::Status Machine::set_entries(Object& target, std::span<Object* const> keys_and_values) {
  if (keys_and_values.size() % 2 != 0) return malformed("pickle.bad_operand", "a key without a value");
  if (target.kind() != Kind::kDict && target.kind() != Kind::kCall)
    return malformed("pickle.bad_operand", base::cat("the target is ", name(target.kind()), ", not a dict"));
  if (keys_and_values.empty()) return {};
  std::vector<Entry>& entries =
      target.kind() == Kind::kDict ? heap_.mapping(target).entries : heap_.call(target).entries;
  for (std::size_t i = 0; i < keys_and_values.size(); i += 2)
    entries.push_back({keys_and_values[i], keys_and_values[i + 1]});
  heap_.charge(keys_and_values.size_bytes() * 2);
  return {};
}

base::Status Machine::op_dict() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  Object* const dict = heap_.dict(opcode_at_);
  TRY(set_entries(*dict, items));
  push(dict);
  return {};
}

base::Status Machine::op_setitem() {
  TRY_ASSIGN(const std::span<Object*> items, top_items(3));
  TRY(set_entries(*items[0], items.subspan(1)));
  drop(2);
  return {};
}

base::Status Machine::op_setitems() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  TRY_ASSIGN(Object* const dict, top());
  return set_entries(*dict, items);
}

base::Status Machine::op_empty_set() {
  push(heap_.sequence(Kind::kSet, {}, opcode_at_));
  return {};
}

base::Status Machine::op_additems() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  TRY_ASSIGN(Object* const set, top());
  if (set->kind() != Kind::kSet && set->kind() != Kind::kCall)
    return malformed("pickle.bad_operand", base::cat("the target is ", name(set->kind()), ", not a set"));
  heap_.append(*set, items);
  return {};
}

base::Status Machine::op_frozenset() {
  TRY_ASSIGN(const std::span<Object* const> items, since_mark());
  Object* const set = heap_.sequence(Kind::kFrozenSet, {}, opcode_at_);
  heap_.append(*set, items);
  push(set);
  return {};
}

}  // namespace wherry::pickle
