// "CBM1", the size of the core as a uint32, the core (a FlatBuffer, flatbuffers/model.fbs), and the parts it
// names: the tables of target statistics are each a size and a FlatBuffer (flatbuffers/ctr_data.fbs). Slots
// are those of CatBoost 1.2; older files leave out the later ones.
#include "base/text.h"
#include "import/catboost/flat_buffer.h"
#include "import/catboost/read.h"

namespace wherry::catboost {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kMagic = "CBM1";
constexpr std::string_view kFormat = "FlabuffersModel_v1";  // so spelt
constexpr std::string_view kCtrPart = "static_provider_v1";

// util/ysaveload.h: a uint32, or all ones and a uint64.
Result<std::uint64_t> read_size(base::ByteReader& in) {
  TRY_ASSIGN(const auto size, in.little<std::uint32_t>());
  if (size != 0xFFFFFFFF) return size;
  return in.little<std::uint64_t>();
}

Result<Bytes> read_part(base::ByteReader& in, std::string_view what) {
  const auto size = read_size(in);
  const auto bytes = size ? in.take(*size) : Result<Bytes>(std::unexpected(size.error()));
  if (!bytes) return damaged(cat("it ends within ", what));
  return *bytes;
}

Result<FloatFeature> float_feature(const FlatTable& table) {
  FloatFeature out;
  TRY_ASSIGN(out.has_nans, table.scalar<std::uint8_t>(0, 0));
  TRY_ASSIGN(out.index, table.scalar<std::int32_t>(1, -1));
  TRY_ASSIGN(out.flat, table.scalar<std::int32_t>(2, -1));
  TRY_ASSIGN(out.borders, table.numbers<float>(3));
  TRY_ASSIGN(out.name, table.text(4));
  TRY_ASSIGN(const auto nan, table.scalar<std::int8_t>(5, 0));
  if (nan < 0 || nan > 2) return inconsistent("an unknown treatment of NaN");
  out.nan = static_cast<NanTreatment>(nan);
  return out;
}

Result<OtherFeature> other_feature(const FlatTable& table) {
  OtherFeature out;
  TRY_ASSIGN(out.index, table.scalar<std::int32_t>(0, -1));
  TRY_ASSIGN(out.flat, table.scalar<std::int32_t>(1, -1));
  TRY_ASSIGN(out.name, table.text(2));
  return out;
}

Result<OneHotFeature> one_hot_feature(const FlatTable& table) {
  OneHotFeature out;
  TRY_ASSIGN(out.category, table.scalar<std::int32_t>(0, -1));
  TRY_ASSIGN(out.hashes, table.numbers<std::int32_t>(1));
  return out;
}

Result<CtrBase> ctr_base(const std::optional<FlatTable>& table) {
  CtrBase out;
  if (!table) return out;
  TRY_ASSIGN(const auto combination, table->table(0));
  if (combination) {
    TRY_ASSIGN(out.projection.categories, combination->numbers<std::int32_t>(0));
    TRY_ASSIGN(out.projection.floats, combination->numbers<FloatSplit>(1));
    TRY_ASSIGN(out.projection.one_hots, combination->numbers<OneHotSplit>(2));
  }
  TRY_ASSIGN(const auto type, table->scalar<std::int8_t>(1, 0));
  if (type < 0 || type > static_cast<std::int8_t>(CtrType::kFeatureFreq))
    return inconsistent("an unknown kind of target statistic");
  out.type = static_cast<CtrType>(type);
  TRY_ASSIGN(out.target_classifier, table->scalar<std::int32_t>(2, 0));
  return out;
}

Result<CtrFeature> ctr_feature(const FlatTable& table) {
  CtrFeature out;
  TRY_ASSIGN(const auto ctr, table.table(0));
  if (!ctr) return inconsistent("a target statistic without description");
  TRY_ASSIGN(const auto base, ctr->table(0));
  TRY_ASSIGN(out.base, ctr_base(base));
  TRY_ASSIGN(out.target_border, ctr->scalar<std::int32_t>(1, 0));
  TRY_ASSIGN(out.prior, ctr->scalar<float>(2, 0));
  TRY_ASSIGN(out.prior_denominator, ctr->scalar<float>(3, 1));
  TRY_ASSIGN(out.shift, ctr->scalar<float>(4, 0));
  TRY_ASSIGN(out.scale, ctr->scalar<float>(5, 1));
  TRY_ASSIGN(out.borders, table.numbers<float>(1));
  return out;
}

template <class T, class Read>
Status read_all(const FlatTable& trees, std::size_t slot, std::vector<T>& out, Read read) {
  TRY_ASSIGN(const auto tables, trees.tables(slot));
  for (const FlatTable& table : tables) {
    TRY_ASSIGN(T made, read(table));
    out.push_back(std::move(made));
  }
  return {};
}

struct StepNode {
  std::uint16_t left;  // distance to the child; 0: this node is the leaf
  std::uint16_t right;
};

// A node steps to a child `left` or `right` nodes further on; where that is 0 the row stays, and the node's
// leaf is the answer. Ours have a leaf of their own for that.
Status read_nodes(const FlatTable& trees, Model& model) {
  TRY_ASSIGN(const auto steps, trees.numbers<StepNode>(10));
  TRY_ASSIGN(const auto leaves, trees.numbers<std::uint32_t>(11));
  TRY_ASSIGN(const auto sizes, trees.numbers<std::int32_t>(2));
  TRY_ASSIGN(const auto splits, trees.numbers<std::int32_t>(1));
  if (splits.size() != steps.size() || leaves.size() != steps.size())
    return inconsistent("the nodes of its trees have not all a split and a leaf");
  std::size_t start = 0;
  for (const std::int32_t size : sizes) {
    if (size < 1 || static_cast<std::size_t>(size) > steps.size() - start)
      return inconsistent("a tree of more nodes than there are");
    const auto count = static_cast<std::size_t>(size);
    const std::size_t base = model.nodes.size();
    model.roots.push_back(static_cast<std::uint32_t>(base));
    model.nodes.resize(base + count);
    for (std::size_t i = 0; i < count; ++i) {
      const StepNode step = steps[start + i];
      const TreeNode leaf{.value = leaves[start + i]};
      if (step.left == 0 && step.right == 0) {
        model.nodes[base + i] = leaf;
        continue;
      }
      if (i + step.left >= count || i + step.right >= count) return inconsistent("a child outside its tree");
      const auto child = [&](std::uint16_t distance) {
        if (distance != 0) return static_cast<std::uint32_t>(base + i + distance);
        model.nodes.push_back(leaf);
        return static_cast<std::uint32_t>(model.nodes.size() - 1);
      };
      if (splits[start + i] < 0) return inconsistent("a node with a negative split");
      const std::uint32_t left = child(step.left);
      const std::uint32_t right = child(step.right);
      model.nodes[base + i] = {splits[start + i], left, right, 0};
    }
    start += count;
  }
  if (start != steps.size()) return inconsistent("nodes which belong to no tree");
  return {};
}

Status read_trees(const FlatTable& trees, Model& model) {
  TRY_ASSIGN(model.dimension, trees.scalar<std::int32_t>(0, 0));
  TRY(read_all(trees, 4, model.categories, other_feature));
  TRY(read_all(trees, 5, model.floats, float_feature));
  TRY(read_all(trees, 6, model.one_hots, one_hot_feature));
  TRY(read_all(trees, 7, model.ctrs, ctr_feature));
  TRY(read_all(trees, 12, model.texts, other_feature));
  TRY(read_all(trees, 18, model.embeddings, other_feature));
  TRY_ASSIGN(const auto estimated, trees.tables(13));
  model.estimated_features = estimated.size();
  TRY_ASSIGN(model.leaf_values, trees.numbers<double>(8));
  TRY_ASSIGN(model.scale, trees.scalar<double>(14, 1));
  TRY_ASSIGN(model.bias, trees.numbers<double>(16));
  TRY_ASSIGN(const double bias, trees.scalar<double>(15, 0));
  if (model.bias.empty() && bias != 0) model.bias = {bias};
  TRY_ASSIGN(const auto steps, trees.vector(10, sizeof(StepNode)));
  TRY_ASSIGN(const auto leaves, trees.vector(11, sizeof(std::uint32_t)));
  model.symmetric = steps.empty() && leaves.empty();
  if (!model.symmetric) return read_nodes(trees, model);
  TRY_ASSIGN(model.depths, trees.numbers<std::int32_t>(2));
  TRY_ASSIGN(model.splits, trees.numbers<std::int32_t>(1));
  return {};
}

constexpr std::size_t kBucketSize = 12;  // a uint64 hash and a uint32 entry, packed
constexpr std::uint64_t kEmptyBucket = ~std::uint64_t{0};

Status read_buckets(Bytes raw, CtrTable& table) {
  if (raw.size() % kBucketSize != 0) return inconsistent("a table of target statistics of an odd size");
  base::ByteReader in(raw);
  for (std::size_t left = raw.size() / kBucketSize; left > 0; --left) {
    TRY_ASSIGN(const auto hash, in.little<std::uint64_t>());
    TRY_ASSIGN(const auto entry, in.little<std::uint32_t>());
    table.hashes.push_back(hash);
    if (hash != kEmptyBucket && entry > INT32_MAX)
      return inconsistent("an entry of a table of target statistics out of range");
    table.entries.push_back(hash == kEmptyBucket ? -1 : static_cast<std::int32_t>(entry));
  }
  return {};
}

Result<CtrTable> read_table(Bytes content) {
  FlatBuffer buffer(content);
  TRY_ASSIGN(const FlatTable root, buffer.root());
  CtrTable out;
  TRY_ASSIGN(const auto base, root.table(0));
  TRY_ASSIGN(out.base, ctr_base(base));
  TRY_ASSIGN(const Bytes buckets, root.vector(1, 1));
  TRY(read_buckets(buckets, out));
  TRY_ASSIGN(const Bytes blob, root.vector(2, 1));
  TRY_ASSIGN(out.denominator, root.scalar<std::int32_t>(3, 0));
  TRY_ASSIGN(out.classes, root.scalar<std::int32_t>(4, 0));
  base::ByteReader in(blob);
  const bool mean = is_mean(out.base.type);
  if (blob.size() % (mean ? 8 : 4) != 0) return inconsistent("target statistics of an odd size");
  while (in.remaining() > 0) {
    if (mean) {
      TRY_ASSIGN(const float sum, in.little<float>());
      out.sums.push_back(sum);
    }
    TRY_ASSIGN(const auto count, in.little<std::int32_t>());
    out.counts.push_back(count);
  }
  return out;
}

Status read_ctr_part(base::ByteReader& in, Model& model) {
  const auto count = read_size(in);
  if (!count) return damaged("it ends before the target statistics");
  for (std::uint64_t i = 0; i < *count; ++i) {
    TRY_ASSIGN(const Bytes content, read_part(in, "the target statistics"));
    TRY_ASSIGN(CtrTable table, read_table(content));
    std::string key = key_of(table.base);
    model.tables.insert_or_assign(std::move(key), std::move(table));
  }
  return {};
}

}  // namespace

Result<Model> read_cbm(Bytes content) {
  base::ByteReader in(content);
  const auto magic = in.take(kMagic.size());
  if (!magic || base::as_text(*magic) != kMagic) return damaged("it does not begin with CBM1");
  TRY_ASSIGN(const Bytes core_bytes, read_part(in, "the trees"));
  FlatBuffer buffer(core_bytes);
  TRY_ASSIGN(const FlatTable core, buffer.root());
  TRY_ASSIGN(const std::string format, core.text(0));
  if (format != kFormat)
    return base::fail(base::Code::kUnsupported, "catboost.unsupported_format",
                      cat("the CatBoost model is of format ", base::quoted(format), ", not ", kFormat),
                      "save it with CatBoost 1.0 or newer");
  Model model;
  TRY_ASSIGN(const auto trees, core.table(1));
  if (!trees) return inconsistent("it has no trees");
  TRY(read_trees(*trees, model));
  TRY_ASSIGN(const auto info, core.tables(2));
  for (const FlatTable& pair : info) {
    TRY_ASSIGN(std::string key, pair.text(0));
    TRY_ASSIGN(model.info[std::move(key)], pair.text(1));
  }
  TRY_ASSIGN(const auto parts, core.texts(3));
  for (const std::string& part : parts) {
    if (part != kCtrPart) {  // the calculators of text and embedding features, which lower.cc refuses
      model.estimated_features = std::max<std::size_t>(model.estimated_features, 1);
      break;
    }
    TRY(read_ctr_part(in, model));
  }
  return model;
}

}  // namespace wherry::catboost
