#include <algorithm>

#include "base/text.h"
#include "import/torch/script_native.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using Maybe = Result<std::optional<Value>>;

Maybe give(Value value) {
  return std::optional<Value>(std::move(value));
}

Result<ListObject*> changed_list(NativeCall& c) {
  const List* list = c.positional[0].get<List>();
  if (!list) return c.in.refuse(base::cat("a list method on ", describe(c.positional[0])));
  TRY(c.in.check_change((*list)->branch, "a list"));
  return list->get();
}

Maybe append(NativeCall& c) {
  TRY_ASSIGN(ListObject * list, changed_list(c));
  list->items.push_back(c.positional[1]);
  return give(c.positional[0]);
}
Maybe extend(NativeCall& c) {
  TRY_ASSIGN(ListObject * list, changed_list(c));
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[1]));
  list->items.insert(list->items.end(), items.begin(), items.end());
  return give(Value());
}
Maybe add_in_place(NativeCall& c) {  // a list += another one; tensors have an operator for it
  if (!c.positional[0].is<List>()) return std::optional<Value>();
  TRY(extend(c));
  return give(c.positional[0]);
}
Maybe insert(NativeCall& c) {
  TRY_ASSIGN(ListObject * list, changed_list(c));
  const auto* at = c.positional[1].get<std::int64_t>();
  if (!at) return c.in.refuse("insert() at a place that is not known");
  const auto size = static_cast<std::int64_t>(list->items.size());
  const std::int64_t place = std::clamp<std::int64_t>(*at < 0 ? *at + size : *at, 0, size);
  list->items.insert(list->items.begin() + place, c.positional[2]);
  return give(Value());
}
Maybe pop(NativeCall& c) {
  if (const Dict* dict = c.positional[0].get<Dict>()) {
    TRY(c.in.check_change((*dict)->branch, "a dict"));
    auto& entries = (*dict)->entries;
    const auto found = std::ranges::find_if(
        entries, [&](const auto& entry) { return c.in.same(entry.first, c.positional[1]); });
    if (found == entries.end())
      return c.positional.size() > 2 ? give(c.positional[2])
                                     : Maybe(c.in.refuse("pop() of a key that is not there"));
    Value value = found->second;
    entries.erase(found);
    return give(std::move(value));
  }
  TRY_ASSIGN(ListObject * list, changed_list(c));
  const auto* at = c.positional.size() > 1 ? c.positional[1].get<std::int64_t>() : nullptr;
  const auto size = static_cast<std::int64_t>(list->items.size());
  std::int64_t place = at ? *at : -1;
  if (place < 0) place += size;
  if (place < 0 || place >= size) return c.in.raised("pop() of an empty list");
  Value value = list->items[static_cast<std::size_t>(place)];
  list->items.erase(list->items.begin() + place);
  return give(std::move(value));
}
Maybe clear(NativeCall& c) {
  TRY_ASSIGN(ListObject * list, changed_list(c));
  list->items.clear();
  return give(Value());
}
Maybe reverse(NativeCall& c) {
  TRY_ASSIGN(ListObject * list, changed_list(c));
  std::ranges::reverse(list->items);
  return give(Value());
}
Maybe copy(NativeCall& c) {
  if (const Dict* dict = c.positional[0].get<Dict>())
    return give(Value(std::make_shared<DictObject>(DictObject{(*dict)->entries, c.in.branches()})));
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  return give(make_list(std::move(items), c.in.branches()));
}
Maybe index(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  for (std::size_t i = 0; i < items.size(); ++i) {
    TRY_ASSIGN(const Value found, c.in.equal(items[i], c.positional[1]));
    TRY_ASSIGN(const bool yes, c.in.known_truth(found, "index()"));
    if (yes) return give(Value(static_cast<std::int64_t>(i)));
  }
  return c.in.raised("index() of what is not there");
}
Maybe numel(NativeCall& c) {  // torch.Size.numel()
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  Value product = std::int64_t{1};
  for (const Value& item : items) {
    TRY_ASSIGN(product, c.in.binary("*", product, item));
  }
  return give(product);
}

Result<DictObject*> dict_of(NativeCall& c) {
  const Dict* dict = c.positional[0].get<Dict>();
  if (!dict) return c.in.refuse(base::cat("a dict method on ", describe(c.positional[0])));
  return dict->get();
}
Maybe keys(NativeCall& c) {
  TRY_ASSIGN(const DictObject* dict, dict_of(c));
  Values made;
  for (const auto& entry : dict->entries) made.push_back(entry.first);
  return give(make_list(std::move(made), c.in.branches()));
}
Maybe values(NativeCall& c) {
  TRY_ASSIGN(const DictObject* dict, dict_of(c));
  Values made;
  for (const auto& entry : dict->entries) made.push_back(entry.second);
  return give(make_list(std::move(made), c.in.branches()));
}
Maybe items(NativeCall& c) {
  TRY_ASSIGN(const DictObject* dict, dict_of(c));
  Values made;
  for (const auto& entry : dict->entries) made.push_back(make_tuple({entry.first, entry.second}));
  return give(make_list(std::move(made), c.in.branches()));
}
Maybe get(NativeCall& c) {
  TRY_ASSIGN(const DictObject* dict, dict_of(c));
  for (const auto& entry : dict->entries) {
    if (c.in.same(entry.first, c.positional[1])) return give(entry.second);
  }
  return give(c.positional.size() > 2 ? c.positional[2] : Value());
}
Maybe update(NativeCall& c) {
  if (c.positional.size() > 1) {
    const Dict* other = c.positional[1].get<Dict>();
    if (!other) return c.in.refuse("update() with other than a dict");
    for (const auto& [key, value] : (*other)->entries) TRY(c.in.set_subscript(c.positional[0], key, value));
  }
  for (const auto& [key, value] : c.keywords) TRY(c.in.set_subscript(c.positional[0], Value(key), value));
  return give(Value());
}

Result<const std::string*> text_argument(NativeCall& c, std::size_t i) {
  const auto* text = i < c.positional.size() ? c.positional[i].get<std::string>() : nullptr;
  if (!text) return c.in.refuse("a method of texts wants texts");
  return text;
}
Maybe format(NativeCall& c) {
  TRY_ASSIGN(const std::string* pattern, text_argument(c, 0));
  return give(Value(format_text(*pattern, Values(c.positional.begin() + 1, c.positional.end()))));
}
Maybe startswith(NativeCall& c) {
  TRY_ASSIGN(const std::string* text, text_argument(c, 0));
  TRY_ASSIGN(const std::string* part, text_argument(c, 1));
  return give(Value(text->starts_with(*part)));
}
Maybe endswith(NativeCall& c) {
  TRY_ASSIGN(const std::string* text, text_argument(c, 0));
  TRY_ASSIGN(const std::string* part, text_argument(c, 1));
  return give(Value(text->ends_with(*part)));
}
Maybe lower(NativeCall& c) {
  TRY_ASSIGN(const std::string* text, text_argument(c, 0));
  return give(Value(base::to_lower(*text)));
}
Maybe join(NativeCall& c) {
  TRY_ASSIGN(const std::string* separator, text_argument(c, 0));
  TRY_ASSIGN(const Values parts, c.in.iterate(c.positional[1]));
  std::string made;
  for (std::size_t i = 0; i < parts.size(); ++i)
    made += base::cat(i == 0 ? "" : *separator, text_of(parts[i]));
  return give(Value(std::move(made)));
}
Maybe split(NativeCall& c) {
  TRY_ASSIGN(const std::string* text, text_argument(c, 0));
  TRY_ASSIGN(const std::string* separator, text_argument(c, 1));
  if (separator->size() != 1) return c.in.refuse("split() by other than one character");
  Values made;
  for (const std::string_view part : base::split(*text, (*separator)[0]))
    made.emplace_back(std::string(part));
  return give(make_list(std::move(made), c.in.branches()));
}
Maybe replace(NativeCall& c) {
  TRY_ASSIGN(const std::string* text, text_argument(c, 0));
  TRY_ASSIGN(const std::string* from, text_argument(c, 1));
  TRY_ASSIGN(const std::string* to, text_argument(c, 2));
  if (from->empty()) return c.in.refuse("replace() of nothing");
  std::string made;
  std::size_t at = 0;
  for (std::size_t next = 0; (next = text->find(*from, at)) != std::string::npos; at = next + from->size()) {
    made += base::cat(text->substr(at, next - at), *to);
  }
  return give(Value(made + text->substr(at)));
}

constexpr NativeRow kRows[] = {
    {"methods.append", 2, append},     {"methods.extend", 2, extend},
    {"methods.insert", 3, insert},     {"methods.pop", 1, pop},
    {"methods.clear", 1, clear},       {"methods.reverse", 1, reverse},
    {"methods.copy", 1, copy},         {"methods.index", 2, index},
    {"methods.numel", 1, numel},       {"methods.keys", 1, keys},
    {"methods.values", 1, values},     {"methods.items", 1, items},
    {"methods.get", 2, get},           {"methods.update", 1, update},
    {"methods.format", 1, format},     {"methods.startswith", 2, startswith},
    {"methods.endswith", 2, endswith}, {"methods.lower", 1, lower},
    {"methods.join", 2, join},         {"methods.split", 2, split},
    {"methods.replace", 3, replace},   {"torch.append", 2, append},
    {"torch.extend", 2, extend},       {"torch.add_", 2, add_in_place},
    {"torch.insert", 3, insert},       {"torch.pop", 1, pop},
    {"torch.clear", 1, clear},         {"torch.reverse", 1, reverse},
    {"torch.keys", 1, keys},           {"torch.values", 1, values},
    {"torch.items", 1, items},         {"torch.format", 1, format},
    {"torch.list", 1, copy},
};

}  // namespace

std::span<const NativeRow> method_rows() {
  return kRows;
}

}  // namespace wherry::torch
