// Lists of tensors, which TensorArrays are made of (tensorflow/core/ops/list_ops.cc). A list is the tensor of
// its items along a first axis; control_rows() give loops which only append.
#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using List = std::shared_ptr<const TensorList>;

List list_of(Op& op, std::size_t i) {
  if (const List* list = std::get_if<List>(&op.item(i))) return *list;
  if (!op.failed()) op.refuse("an input which is no list of tensors");
  return std::make_shared<TensorList>();
}

// The shape of an item, an int vector or -1 for an unknown rank.
PartialShape item_shape(Op& op, std::size_t i) {
  const auto elements = op.b.elements(op.in(i));
  if (!elements || op.b.rank(op.in(i)) != 1) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const graph::Dim& each : *elements) sizes.push_back(each.known() ? each.number : -1);
  return sizes;
}

void from_tensor(Op& op) {
  auto list = std::make_shared<TensorList>();
  list->items = op.in(0);
  list->dtype = op.b.dtype(list->items);
  list->shape = item_shape(op, 1);
  op.item_out(List(list));
}

void reserve(Op& op) {
  auto list = std::make_shared<TensorList>();
  list->dtype = op.type("element_dtype", DType::kFloat32);
  list->shape = item_shape(op, 0);
  list->length = graph::reshape(op.b, op.index(1), Ints{});
  op.item_out(List(list));
}

void empty(Op& op) {
  auto list = std::make_shared<TensorList>();
  list->dtype = op.type("element_dtype", DType::kFloat32);
  list->shape = item_shape(op, 0);
  list->length = graph::int_scalar(op.b, 0);
  op.item_out(List(list));
}

void set_item(Op& op) {
  Builder& b = op.b;
  const List list = list_of(op, 0);
  auto made = std::make_shared<TensorList>(*list);
  const ValueId value = op.in(2);
  if (list->open) {
    made->written = value;
    return op.item_out(List(made));
  }
  if (list->items == kNone && (!list->shape || b.type(value).is_static())) {
    // The item says what shape they have.
    made->shape.emplace();
    for (const graph::Dim& each : b.type(value).dims) made->shape->push_back(each.known() ? each.number : -1);
  }
  const ValueId items = dense_items(op, *made);
  if (op.failed()) return;
  const ValueId place = graph::reshape(b, op.index(1), Ints{1, 1});
  made->items = b.add("ScatterND", {items, place, graph::unsqueeze(b, value, {0})});
  op.item_out(List(made));
}

void push_back(Op& op) {
  Builder& b = op.b;
  const List list = list_of(op, 0);
  auto made = std::make_shared<TensorList>(*list);
  const ValueId value = op.in(1);
  if (list->open) {
    made->written = value;
    return op.item_out(List(made));
  }
  const ValueId one = graph::unsqueeze(b, value, {0});
  if (list->items == kNone && b.known_int(list->length) != 0) return op.refuse("a list of unknown items");
  made->items = list->items == kNone ? one : graph::concat(b, {list->items, one}, 0);
  op.item_out(List(made));
}

void get_item(Op& op) {
  const List list = list_of(op, 0);
  const ValueId items = dense_items(op, *list);
  if (op.failed()) return;
  op.out(graph::gather(op.b, items, graph::reshape(op.b, op.index(1), Ints{}), 0));
}

void gather(Op& op) {
  const List list = list_of(op, 0);
  const ValueId items = dense_items(op, *list);
  if (!op.failed()) op.out(graph::gather(op.b, items, op.index(1), 0));
}

void stack(Op& op) {
  const List list = list_of(op, 0);
  if (op.failed()) return;
  const ValueId items = dense_items(op, *list);
  if (op.failed()) return;
  if (const PartialShape shape = item_shape(op, 1);
      shape && op.b.rank(items) == static_cast<int>(shape->size()) + 1) {
    graph::Dims dims{op.b.dim(items, 0)};
    for (const std::int64_t each : *shape) dims.push_back(each < 0 ? op.b.fresh() : graph::Dim{each});
    op.b.refine(items, dims);
  }
  op.out(items);
}

void length(Op& op) {
  const List list = list_of(op, 0);
  const ValueId count = list->items == kNone ? list->length : graph::dim_scalar(op.b, list->items, 0);
  if (count == kNone) return op.refuse("a list of unknown length");
  op.out(graph::cast(op.b, count, DType::kInt32));
}

// Items one behind the other along their first axis, which must have one length.
void concat(Op& op) {
  Builder& b = op.b;
  const List list = list_of(op, 0);
  const ValueId items = dense_items(op, *list);
  if (op.failed()) return;
  if (op.rank(items) < 2) return op.refuse("items without axes");
  const ValueId shape = graph::shape_of(b, items);
  op.out(graph::reshape(
      b, items, graph::concat(b, {graph::ints(b, {-1}), graph::slice(b, shape, 0, 2, graph::kToEnd)}, 0)));
  op.out(graph::expand(b, graph::dim_of(b, items, 1), graph::dim_of(b, items, 0)), 1);
}

constexpr OpRow kRows[] = {
    {"TensorListFromTensor", from_tensor}, {"TensorListReserve", reserve},  {"EmptyTensorList", empty},
    {"TensorListSetItem", set_item},       {"TensorListGetItem", get_item}, {"TensorListStack", stack},
    {"TensorListPushBack", push_back},     {"TensorListLength", length},    {"TensorListGather", gather},
    {"TensorListConcat", concat},          {"TensorListConcatV2", concat},
};

}  // namespace

ValueId dense_items(Op& op, const TensorList& list) {
  if (list.items != kNone) return list.items;
  Builder& b = op.b;
  bool known = list.shape.has_value() && list.length != kNone && list.dtype != DType::kString;
  if (known)
    for (const std::int64_t each : *list.shape) known = known && each >= 0;
  if (!known) {
    if (!op.failed()) op.refuse("a list of tensors whose shape is only known once it is written");
    return kNone;
  }
  const ValueId shape =
      graph::concat(b, {graph::reshape(b, list.length, Ints{1}), graph::ints(b, *list.shape)}, 0);
  return graph::full(b, list.dtype, shape, 0);
}

std::span<const OpRow> list_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
