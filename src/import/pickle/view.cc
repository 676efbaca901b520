#include "import/pickle/view.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"

namespace wherry::pickle {

namespace {

constexpr std::string_view kUnknownVersion =
    "the model was made by an unknown version of its framework, or is damaged";

const Object* find_in(const std::vector<Entry>& entries, std::string_view key) {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->key->kind() == Kind::kStr && entry->key->text() == key) return entry->value;
  return nullptr;
}

const Object* find_in_dict(const Object& object, std::string_view key) {
  return object.kind() == Kind::kDict ? find_in(object.mapping().entries, key) : nullptr;
}

// Whether BUILD treats `state` as (dict of attributes, dict of slots): copyreg.__reduce_ex__ protocol 2.
bool is_slot_state(const Object& state) {
  return state.kind() == Kind::kTuple && state.items().size() == 2 &&
         state.items()[1]->kind() == Kind::kDict &&
         (state.items()[0]->kind() == Kind::kDict || state.items()[0]->is_none());
}

const Object* find_in_state(const Object& state, std::string_view key) {
  if (!is_slot_state(state)) return find_in_dict(state, key);
  if (const Object* slot = find_in_dict(*state.items()[1], key)) return slot;
  return find_in_dict(*state.items()[0], key);
}

const Object* find_attribute(const Object& object, std::string_view key) {
  if (object.kind() == Kind::kDict) {
    const auto& states = object.mapping().states;
    for (auto state = states.rbegin(); state != states.rend(); ++state)
      if (const Object* found = find_in_state(**state, key)) return found;
    return nullptr;
  }
  if (object.kind() != Kind::kCall) return nullptr;
  const Call& call = object.call();
  for (auto state = call.states.rbegin(); state != call.states.rend(); ++state)
    if (const Object* found = find_in_state(**state, key)) return found;
  return find_in(call.entries, key);
}

template <class Visit>
void for_each_attribute(const Object& object, const Visit& visit) {
  const auto visit_dict = [&](const Object& dict) {
    if (dict.kind() != Kind::kDict) return;
    for (const Entry& entry : dict.mapping().entries) visit(entry);
  };
  if (object.kind() != Kind::kCall) return;
  for (const Object* state : object.call().states) {
    if (is_slot_state(*state))
      for (const Object* part : state->items()) visit_dict(*part);
    else
      visit_dict(*state);
  }
  for (const Entry& entry : object.call().entries) visit(entry);
}

const std::vector<Entry>* entries_of(const Object& object) {
  if (object.kind() == Kind::kDict) return &object.mapping().entries;
  if (object.kind() == Kind::kCall) return &object.call().entries;
  return nullptr;
}

// What can be numbered: the values, or null.
std::optional<std::span<const Object* const>> items_of(const Object& object) {
  switch (object.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
      return object.items();
    case Kind::kArray:
      if (object.array().dtype->kind == 'O' && object.array().shape.size() == 1)
        return object.array().elements;
      return std::nullopt;
    case Kind::kCall:
      if (!object.call().items.empty()) return object.call().items;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// The array of a numpy scalar, or of an array that holds one value without dimensions.
const NdArray* zero_dimensional(const Object& object) {
  if (object.kind() != Kind::kScalar && object.kind() != Kind::kArray) return nullptr;
  return object.array().shape.empty() ? &object.array() : nullptr;
}

}  // namespace

std::string View::where() const {
  return path_.empty() ? "the model" : path_;
}

std::string View::describe() const {
  const Object& object = *object_;
  switch (object.kind()) {
    case Kind::kArray:
      return object.array().describe();
    case Kind::kScalar:
      return base::cat("numpy ", object.array().dtype->describe());
    case Kind::kGlobal:
      return base::quoted(object.global().qualified(), 120);
    case Kind::kCall: {
      const std::string type = class_name();
      return type.empty() ? "the result of a call" : base::cat("instance of ", base::quoted(type, 120));
    }
    default:
      return std::string(name(object.kind()));
  }
}

std::unexpected<base::Error> View::wrong(std::string_view expected) const {
  return base::fail(base::Code::kInvalidInput, "pickle.wrong_type",
                    base::cat(where(), ": expected ", expected, ", found ", describe()),
                    std::string(kUnknownVersion));
}

View View::child(const Object& object, std::string_view step) const {
  if (path_.empty() && step.starts_with('.')) step.remove_prefix(1);
  return View(object, base::cat(path_, step));
}

std::string View::class_name() const {
  if (kind() != Kind::kCall) return {};
  const Global* const type = object_->call().type();
  return type != nullptr ? type->qualified() : std::string{};
}

std::string View::global_name() const {
  return kind() == Kind::kGlobal ? object_->global().qualified() : std::string{};
}

std::optional<View> View::find(std::string_view attribute) const {
  const Object* const found = find_attribute(*object_, attribute);
  if (found == nullptr) return std::nullopt;
  return child(*found, base::cat(".", attribute));
}

base::Result<View> View::attr(std::string_view attribute) const {
  if (auto found = find(attribute)) return *std::move(found);
  return base::fail(base::Code::kInvalidInput, "pickle.missing_attribute",
                    base::cat(where(), ": ", describe(), " has no attribute ", base::quoted(attribute)),
                    std::string(kUnknownVersion));
}

std::vector<std::string_view> View::attribute_names() const {
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> seen;
  for_each_attribute(*object_, [&](const Entry& entry) {
    if (entry.key->kind() == Kind::kStr && seen.insert(entry.key->text()).second)
      names.push_back(entry.key->text());
  });
  return names;
}

base::Result<View> View::argument(std::size_t index) const {
  if (kind() != Kind::kCall) return wrong("an instance");
  const auto args = object_->call().args;
  if (index < args.size()) return child(*args[index], base::cat(".args[", index, "]"));
  return base::fail(
      base::Code::kInvalidInput, "pickle.out_of_range",
      base::cat(where(), ": ", describe(), " was made with ", args.size(), " arguments, not ", index + 1),
      std::string(kUnknownVersion));
}

std::optional<View> View::state() const {
  if (kind() != Kind::kCall || object_->call().states.empty()) return std::nullopt;
  return child(*object_->call().states.back(), ".state");
}

base::Result<std::size_t> View::size() const {
  if (const auto items = items_of(*object_)) return items->size();
  if (kind() == Kind::kDict) return object_->mapping().entries.size();
  if (kind() == Kind::kArray && !object_->array().shape.empty())
    return static_cast<std::size_t>(object_->array().shape[0]);
  if (kind() == Kind::kCall) return object_->call().entries.size();
  return wrong("a list, tuple, dict or array");
}

base::Result<View> View::item(std::size_t index) const {
  const auto items = items_of(*object_);
  if (!items) return wrong("a list or tuple");
  if (index < items->size()) return child(*(*items)[index], base::cat("[", index, "]"));
  return base::fail(base::Code::kInvalidInput, "pickle.out_of_range",
                    base::cat(where(), ": ", describe(), " of ", items->size(), " items has no item ", index),
                    std::string(kUnknownVersion));
}

base::Result<std::vector<View>> View::items() const {
  const auto items = items_of(*object_);
  if (!items && kind() == Kind::kCall && object_->call().entries.empty()) return std::vector<View>{};
  if (!items) return wrong("a list or tuple");
  std::vector<View> views;
  views.reserve(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    views.push_back(child(*(*items)[i], base::cat("[", i, "]")));
  return views;
}

std::optional<View> View::find_key(std::string_view key) const {
  const std::vector<Entry>* const entries = entries_of(*object_);
  const Object* const found = entries != nullptr ? find_in(*entries, key) : nullptr;
  if (found == nullptr) return std::nullopt;
  return child(*found, base::cat("[", base::quoted(key), "]"));
}

base::Result<View> View::key(std::string_view key) const {
  if (auto found = find_key(key)) return *std::move(found);
  if (entries_of(*object_) == nullptr) return wrong("a dict");
  return base::fail(base::Code::kInvalidInput, "pickle.missing_attribute",
                    base::cat(where(), ": ", describe(), " has no key ", base::quoted(key)),
                    std::string(kUnknownVersion));
}

base::Result<std::vector<std::pair<View, View>>> View::entries() const {
  const std::vector<Entry>* const entries = entries_of(*object_);
  if (entries == nullptr) return wrong("a dict");
  std::vector<std::pair<View, View>> views;
  views.reserve(entries->size());
  for (const Entry& entry : *entries) {
    const std::string step = entry.key->kind() == Kind::kStr
                                 ? base::cat("[", base::quoted(entry.key->text()), "]")
                             : entry.key->kind() == Kind::kInt ? base::cat("[", entry.key->integer(), "]")
                                                               : base::cat("[key ", views.size(), "]");
    views.emplace_back(child(*entry.key, base::cat(".keys()[", views.size(), "]")),
                       child(*entry.value, step));
  }
  return views;
}

base::Result<bool> View::as_bool() const {
  if (kind() == Kind::kBool) return object_->boolean();
  const NdArray* const array = zero_dimensional(*object_);
  if (array == nullptr || array->dtype->kind != 'b') return wrong("a bool");
  TRY_ASSIGN(const std::vector<bool> values, to_bools(*array, where()));
  return values[0];
}

base::Result<std::int64_t> View::as_int() const {
  if (kind() == Kind::kInt || kind() == Kind::kBool) return object_->integer();
  const NdArray* const array = zero_dimensional(*object_);
  if (array == nullptr ||
      (array->dtype->kind != 'i' && array->dtype->kind != 'u' && array->dtype->kind != 'b'))
    return wrong(kind() == Kind::kBigInt ? "an int of 64 bits" : "an int");
  TRY_ASSIGN(const std::vector<std::int64_t> values, to_int64s(*array, where()));
  return values[0];
}

base::Result<double> View::as_double() const {
  if (kind() == Kind::kFloat) return object_->real();
  if (kind() == Kind::kInt || kind() == Kind::kBool) return static_cast<double>(object_->integer());
  const NdArray* const array = zero_dimensional(*object_);
  if (array == nullptr || !std::string_view("biufO").contains(array->dtype->kind)) return wrong("a number");
  TRY_ASSIGN(const std::vector<double> values, to_doubles(*array, where()));
  return values[0];
}

base::Result<std::string> View::as_string() const {
  if (kind() == Kind::kStr) return std::string(object_->text());
  const NdArray* const array = zero_dimensional(*object_);
  if (array == nullptr || (array->dtype->kind != 'U' && array->dtype->kind != 'O')) return wrong("a str");
  TRY_ASSIGN(std::vector<std::string> values, to_strings(*array, where()));
  return std::move(values[0]);
}

base::Result<base::Bytes> View::as_bytes() const {
  if (kind() != Kind::kBytes && kind() != Kind::kByteArray) return wrong("bytes");
  return object_->bytes();
}

base::Result<Slice> View::as_slice() const {
  if (kind() != Kind::kCall || class_name() != "builtins.slice" || object_->call().args.size() != 3)
    return wrong("a slice");
  Slice slice;
  std::optional<std::int64_t>* const parts[] = {&slice.start, &slice.stop, &slice.step};
  for (std::size_t i = 0; i < 3; ++i) {
    TRY_ASSIGN(const View part, argument(i));
    if (part.is_none()) continue;
    TRY_ASSIGN(*parts[i], part.as_int());
  }
  return slice;
}

base::Result<Slice> View::as_range() const {
  if (kind() != Kind::kCall || class_name() != "builtins.range" || object_->call().args.size() != 3)
    return wrong("a range");
  Slice range;
  std::optional<std::int64_t>* const parts[] = {&range.start, &range.stop, &range.step};
  for (std::size_t i = 0; i < 3; ++i) {
    TRY_ASSIGN(const View part, argument(i));
    TRY_ASSIGN(*parts[i], part.as_int());
  }
  return range;
}

base::Result<NdArray> View::array() const {
  if (kind() != Kind::kArray && kind() != Kind::kScalar) return wrong("an array");
  return object_->array();
}

namespace {

// Values of a list or tuple by `convert`, or of an array by `from_array`.
template <class T, class Convert, class FromArray>
base::Result<std::vector<T>> values_of(const View& view, std::string_view expected, const Convert& convert,
                                       const FromArray& from_array) {
  if (view.is(Kind::kArray) || view.is(Kind::kScalar)) return from_array(view->array(), view.where());
  if (!view.is(Kind::kList) && !view.is(Kind::kTuple)) return view.wrong(expected);
  TRY_ASSIGN(const std::vector<View> items, view.items());
  std::vector<T> values;
  values.reserve(items.size());
  for (const View& item : items) {
    TRY_ASSIGN(auto value, convert(item));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

base::Result<std::vector<double>> View::doubles() const {
  return values_of<double>(
      *this, "an array of numbers", [](const View& item) { return item.as_double(); }, to_doubles);
}

base::Result<std::vector<std::int64_t>> View::int64s() const {
  return values_of<std::int64_t>(
      *this, "an array of integers", [](const View& item) { return item.as_int(); }, to_int64s);
}

base::Result<std::vector<bool>> View::bools() const {
  return values_of<bool>(
      *this, "an array of bool", [](const View& item) { return item.as_bool(); }, to_bools);
}

base::Result<std::vector<std::string>> View::strings() const {
  return values_of<std::string>(
      *this, "an array of strings", [](const View& item) { return item.as_string(); }, to_strings);
}

base::Result<Matrix> View::matrix() const {
  TRY_ASSIGN(const NdArray array, this->array());
  if (array.shape.size() != 2) return wrong("an array with two dimensions");
  Matrix matrix{.rows = array.shape[0], .columns = array.shape[1]};
  TRY_ASSIGN(matrix.values, to_doubles(array, where()));
  return matrix;
}

}  // namespace wherry::pickle
