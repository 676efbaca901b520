// Objects and lists to sparse rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/kernels.h"
#include "engine/record_reader.h"
#include "engine/text_analyzer.h"

namespace wherry::engine {
namespace {

using base::cat;
using Kind = RecordReader::Kind;

// A number, true, false or null as numpy.float64() has it.
bool scalar(RecordReader& in, double& out) {
  switch (in.peek()) {
    case Kind::kBool: {
      bool truth = false;
      if (!in.boolean(truth)) return false;
      out = truth ? 1 : 0;
      return true;
    }
    case Kind::kNull:
      out = std::numeric_limits<double>::quiet_NaN();
      return in.null();
    case Kind::kNumber:
      return in.number(out);
    default:
      return in.fail("a value which is neither number nor text");
  }
}

// "name=text" in scratch.name.
std::string_view joined(std::string_view name, std::string_view separator, std::string_view text,
                        std::string& out) {
  out.assign(name);
  out += separator;
  out += text;
  return out;
}

// A name given twice: Python's dict would keep the last value, and who wrote both meant another thing.
class Names {
 public:
  explicit Names(std::vector<std::string_view>& names) : names_(names) { names_.clear(); }
  void add(std::string_view name) { names_.push_back(name); }
  bool finish(RecordReader& in) {
    std::ranges::sort(names_);
    if (std::ranges::adjacent_find(names_) != names_.end()) return in.fail("a name is given twice");
    return in.finish();
  }

 private:
  std::vector<std::string_view>& names_;
};

// Reads the cell's record into scratch.features, in the order of the record.
class DictRecord {
 public:
  DictRecord(const program::DictFeatures& op, const TermIndex& index, TextScratch& scratch)
      : op_(op), index_(index), scratch_(scratch) {}

  bool read(RecordReader& in) {
    std::string_view name;
    Names names(scratch_.tokens);
    if (!in.begin_object()) return false;
    while (in.next_member(name)) {
      names.add(name);
      if (!member(in, name)) return false;
    }
    return names.finish(in);
  }

 private:
  bool member(RecordReader& in, std::string_view name) {
    const Kind kind = in.peek();
    if (kind == Kind::kString) return text(in, name);
    if (kind == Kind::kArray) {
      if (op_.assigns)
        return in.fail("a list as value, which this version of scikit-learn takes sparse only");
      if (!in.begin_array()) return false;
      while (in.next_element()) {
        if (in.peek() != Kind::kString) return in.fail("a list which holds something else than text");
        if (!text(in, name)) return false;
      }
      return !in.failed();
    }
    if (kind == Kind::kObject) return in.fail("an object as value");
    double value = 0;
    if (!scalar(in, value)) return false;
    add(name, value);
    return true;
  }
  bool text(RecordReader& in, std::string_view name) {
    std::string_view value;
    if (!in.string(value)) return false;
    add(joined(name, op_.separator, value, scratch_.name), 1);
    return true;
  }
  void add(std::string_view name, double value) {
    if (const std::int32_t column = index_.find(name); column >= 0)
      scratch_.features.emplace_back(static_cast<std::uint32_t>(column), value);
  }

  const program::DictFeatures& op_;
  const TermIndex& index_;
  TextScratch& scratch_;
};

class HashedRecord {
 public:
  HashedRecord(const program::HashFeatures& op, TextScratch& scratch) : op_(op), scratch_(scratch) {}

  bool read(RecordReader& in) {
    std::string_view name;
    if (op_.form == program::RecordForm::kDict) {
      Names names(scratch_.tokens);
      if (!in.begin_object()) return false;
      while (in.next_member(name)) {
        names.add(name);
        if (!value_of(in, name)) return false;
      }
      return names.finish(in);
    }
    if (!in.begin_array()) return false;
    while (in.next_element()) {
      if (op_.form == program::RecordForm::kString) {
        if (!in.string(name)) return false;
        add(name, 1);
        continue;
      }
      if (!in.begin_array() || !in.next_element() || !in.string(name) || !in.next_element() ||
          !value_of(in, name))
        return in.fail("a list of pairs [name, value] is expected");
      if (in.next_element()) return in.fail("a list of pairs [name, value] is expected");
    }
    return in.finish();
  }

 private:
  bool value_of(RecordReader& in, std::string_view name) {
    if (in.peek() == Kind::kString) {
      std::string_view text;
      if (!in.string(text)) return false;
      add(joined(name, "=", text, scratch_.name), 1);
      return true;
    }
    if (in.peek() == Kind::kNull) return in.fail("null as value");
    double value = 0;
    if (!scalar(in, value)) return false;
    add(name, value);
    return true;
  }
  void add(std::string_view name, double value) {
    if (value == 0) return;
    const std::int32_t hash = murmur_hash(name);
    if (op_.alternate_sign && hash < 0) value = -value;
    scratch_.features.emplace_back(hashed_column(hash, static_cast<std::uint32_t>(op_.n_features)), value);
  }

  const program::HashFeatures& op_;
  TextScratch& scratch_;
};

// The features of a record as elements of a row: columns ascending, those of one column added up.
void write_row(std::vector<std::pair<std::uint32_t, double>>& features, bool float32, bool assigns,
               SparseRows& to) {
  const auto rounded = [&](double x) { return float32 ? static_cast<double>(static_cast<float>(x)) : x; };
  const auto by_column = [](const auto& a, const auto& b) { return a.first < b.first; };
  // Insertion: records are short, and std::stable_sort allocates.
  if (features.size() > 64) {
    std::ranges::stable_sort(features, by_column);
  } else {
    for (std::size_t i = 1; i < features.size(); ++i)
      for (std::size_t j = i; j > 0 && by_column(features[j], features[j - 1]); --j)
        std::swap(features[j], features[j - 1]);
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    const double value = rounded(features[i].second);
    if (i == 0 || features[i].first != features[i - 1].first)
      to.add(features[i].first, value);
    else
      to.values.back() = assigns ? value : rounded(to.values.back() + value);
  }
  to.end_row();
}

template <class Record>
base::Status each_record(const Skeleton& skeleton, program::ValueId in, SparseRows& to, bool float32,
                         bool assigns, const Frame& frame, Record make_record) {
  const Columns& from = frame.columns(in);
  TextScratch& scratch = text_scratch(frame.buffers());
  for (std::size_t row = 0; row < from.rows; ++row) {
    const char* problem = "no object or list";
    if (from.kind(row) == tensor::CellKind::kText) {
      scratch.features.clear();
      RecordReader reader(from.texts[row], scratch.arena);
      make_record(scratch).read(reader);
      problem = reader.problem();
    }
    if (problem != nullptr)
      return base::fail(base::Code::kInvalidInput, "engine.bad_record",
                        cat(column_name(skeleton, in, 0), " of row ", frame.first_row() + row, ": ", problem),
                        "send what the vectoriser was fitted with: {\"name\": number or text, …}, or a list "
                        "of names or pairs");
    write_row(scratch.features, float32, assigns, to);
  }
  return {};
}

}  // namespace

MadeKernel make_kernel(const program::DictFeatures& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::DictFeatures* dict = &op;
  return Kernel{
      [=,
       index = TermIndex(wiring.program.weight(op.names).as_strings())](const Frame& frame) -> base::Status {
        return each_record(*skeleton, in, frame.make_sparse(out), dict->float32, dict->assigns, frame,
                           [&](TextScratch& scratch) { return DictRecord(*dict, index, scratch); });
      },
      64};
}

MadeKernel make_kernel(const program::HashFeatures& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::HashFeatures* hash = &op;
  return Kernel{[=](const Frame& frame) -> base::Status {
                  return each_record(*skeleton, in, frame.make_sparse(out), hash->float32, false, frame,
                                     [&](TextScratch& scratch) { return HashedRecord(*hash, scratch); });
                },
                64};
}

}  // namespace wherry::engine
