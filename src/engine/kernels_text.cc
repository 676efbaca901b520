// Texts to sparse rows.
#include <cmath>

#include "base/text.h"
#include "engine/kernels.h"
#include "engine/text_analyzer.h"

namespace wherry::engine {
namespace {

using base::cat;

std::string place_of(const Skeleton& skeleton, program::ValueId value, const Frame& frame, std::size_t row) {
  return cat(column_name(skeleton, value, 0), " of row ", frame.first_row() + row);
}

// Makes sparse rows of texts: `count(text, scratch)` counts keys, `value(to, key, count)` writes them.
template <class Count, class Write>
base::Status each_text(const Skeleton& skeleton, program::ValueId in, program::ValueId out, std::size_t keys,
                       const Frame& frame, Count count, Write write) {
  const Columns& from = frame.columns(in);
  SparseRows& to = frame.make_sparse(out);
  TextScratch& scratch = text_scratch(frame.buffers());
  for (std::size_t row = 0; row < from.rows; ++row) {
    if (from.kind(row) != tensor::CellKind::kText)
      return base::fail(base::Code::kInvalidInput, "engine.not_text",
                        cat(place_of(skeleton, in, frame, row),
                            from.kind(row) == tensor::CellKind::kMissing || std::isnan(from.numbers[row])
                                ? ": a missing value"
                                : ": a number",
                            " where the vectoriser takes text"),
                        "send text; an empty text is \"\"");
    scratch.counter.start(keys);
    auto status = count(from.texts[row], scratch);
    if (!status) {
      scratch.counter.finish([](std::uint32_t, std::uint32_t) {});
      status.error().message = cat(place_of(skeleton, in, frame, row), ": ", status.error().message);
      return status;
    }
    scratch.counter.finish([&](std::uint32_t key, std::uint32_t times) { write(to, key, times); });
    to.end_row();
  }
  return {};
}

// One row of WeighTerms, in the arithmetic of T.
template <class T>
void weigh(const program::WeighTerms& op, std::span<const T> idf, std::span<const std::int32_t> columns,
           std::span<double> values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto x = static_cast<T>(values[i]);
    if (op.sublinear) x = static_cast<T>(std::log(static_cast<double>(x))) + T{1};
    if (op.use_idf) x *= idf[static_cast<std::size_t>(columns[i])];
    values[i] = static_cast<double>(x);
    if (op.norm == program::Norm::kL1) sum += std::abs(values[i]);
    if (op.norm == program::Norm::kL2) sum += static_cast<double>(x * x);
    if (op.norm == program::Norm::kMax) sum = std::max(sum, std::abs(values[i]));
  }
  if (op.norm == program::Norm::kNone || sum == 0) return;
  if (op.norm == program::Norm::kL2) sum = std::sqrt(sum);
  for (double& value : values) value = static_cast<double>(static_cast<T>(value / sum));
}

template <class T>
Kernel weigh_kernel(const program::WeighTerms& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  std::vector<T> idf;
  if (op.use_idf)
    for (const double value : wiring.numbers(op.idf)) idf.push_back(static_cast<T>(value));
  return Kernel{[=, &op, idf = std::move(idf)](const Frame& frame) -> base::Status {
    const SparseRows& from = frame.sparse(in);
    SparseRows& to = frame.make_sparse(out);
    to.offsets = from.offsets;
    to.columns = from.columns;
    to.values = from.values;
    for (std::size_t row = 0; row < from.rows(); ++row) {
      const std::size_t first = from.offsets[row];
      const std::size_t count = from.offsets[row + 1] - first;
      const auto columns = std::span(to.columns).subspan(first, count);
      const auto values = std::span(to.values).subspan(first, count);
      if (op.reversed) {
        std::ranges::reverse(columns);
        std::ranges::reverse(values);
      }
      weigh<T>(op, idf, columns, values);
    }
    return {};
  }};
}

}  // namespace

MadeKernel make_kernel(const program::CountTerms& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const bool binary = op.binary;
  const std::size_t width = wiring.width_of(out);
  TermIndex index(wiring.program.weight(op.terms).as_strings());
  TRY_ASSIGN(TextAnalyzer analyzer, TextAnalyzer::make(op.analyzer, index.longest()));
  return Kernel{
      [=, index = std::move(index), analyzer = std::move(analyzer)](const Frame& frame) -> base::Status {
        return each_text(
            *skeleton, in, out, width, frame,
            [&](std::string_view text, TextScratch& scratch) {
              return analyzer.run(text, scratch, [&](std::string_view ngram) {
                if (const std::int32_t term = index.find(ngram); term >= 0)
                  scratch.counter.add(static_cast<std::uint32_t>(term));
              });
            },
            [&](SparseRows& to, std::uint32_t key, std::uint32_t times) {
              to.add(key, binary ? 1.0 : static_cast<double>(times));
            });
      },
      64};
}

MadeKernel make_kernel(const program::HashTerms& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const bool binary = op.binary;
  const bool alternate = op.alternate_sign;
  const auto features = static_cast<std::uint32_t>(op.n_features);
  TRY_ASSIGN(TextAnalyzer analyzer, TextAnalyzer::make(op.analyzer, SIZE_MAX));
  // Keys: twice the column, and one more where the sign is negative.
  return Kernel{
      [=, analyzer = std::move(analyzer)](const Frame& frame) -> base::Status {
        std::uint32_t negative_key = UINT32_MAX;  // the key just met, if it was odd
        return each_text(
            *skeleton, in, out, std::size_t{2} * features, frame,
            [&](std::string_view text, TextScratch& scratch) {
              return analyzer.run(text, scratch, [&](std::string_view ngram) {
                const std::int32_t hash = murmur_hash(ngram);
                scratch.counter.add(2 * hashed_column(hash, features) + (alternate && hash < 0 ? 0U : 1U));
              });
            },
            [&](SparseRows& to, std::uint32_t key, std::uint32_t times) {
              // The negative key of a column comes just before its positive one.
              const double value = key % 2 == 0 ? -static_cast<double>(times) : times;
              const bool follows =
                  key % 2 == 1 && negative_key == key - 1 && to.values.size() > to.offsets.back();
              if (follows)
                to.values.back() += value;
              else
                to.add(key / 2, value);
              if (binary) to.values.back() = 1;
              negative_key = key % 2 == 0 ? key : UINT32_MAX;
            });
      },
      64};
}

MadeKernel make_kernel(const program::WeighTerms& op, const Wiring& wiring) {
  return op.float32 ? weigh_kernel<float>(op, wiring) : weigh_kernel<double>(op, wiring);
}

}  // namespace wherry::engine
