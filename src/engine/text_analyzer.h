// Texts to n-grams and n-grams to columns. Private to module engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pytext/pattern.h"
#include "pytext/unicode.h"

#include "base/error.h"
#include "engine/frame.h"
#include "program/ops_text.h"

namespace wherry::engine {

// MurmurHash3 (x86, 32 bit) with seed 0, as murmurhash3_bytes_s32 of sklearn/utils/murmurhash.pyx.
std::int32_t murmur_hash(std::string_view bytes);

// abs(hash) % features, as _hashing_fast.pyx has it.
inline std::uint32_t hashed_column(std::int32_t hash, std::uint32_t features) {
  if (hash == INT32_MIN) return (2147483647U - (features - 1)) % features;
  return static_cast<std::uint32_t>(hash < 0 ? -hash : hash) % features;
}

// Finds a text among distinct ones, which are copied. Immutable.
class TermIndex {
 public:
  TermIndex() = default;
  explicit TermIndex(std::span<const std::string> terms);  // of equal ones the first counts

  std::int32_t find(std::string_view term) const;  // -1: none
  std::size_t longest() const { return longest_; }
  bool empty() const { return offsets_.size() <= 1; }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    std::int32_t term = -1;
  };
  std::string_view term(std::int32_t i) const {
    return std::string_view(arena_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

  std::string arena_;
  std::vector<std::size_t> offsets_;
  std::vector<Entry> table_;  // open addressing, a power of two
  std::size_t longest_ = 0;
};

// Counts keys below a bound. Many keys are counted in an array of all of them, so memory is bounded by both.
class KeyCounter {
 public:
  void start(std::size_t keys) { keys_ = keys; }
  void add(std::uint32_t key) {
    hits_.push_back(key);
    if (hits_.size() >= kMostHits) flush();
  }
  // emit(key, count) in ascending order of the keys met; then empty again.
  template <class Emit>
  void finish(Emit emit);

 private:
  static constexpr std::size_t kMostHits = std::size_t{1} << 20;
  void flush();

  std::size_t keys_ = 0;
  bool is_flushed_ = false;
  std::vector<std::uint32_t> hits_;
  std::vector<std::uint32_t> counts_;  // by key, all 0 between uses
};

struct TextScratch {
  std::string lower, folded, joined;
  std::vector<std::string_view> tokens;
  std::vector<std::size_t> starts;  // of characters or tokens in `joined`, and its end
  std::vector<std::size_t> ends;
  pytext::Matcher matcher;
  KeyCounter counter;
  std::string name;                                        // of a feature
  std::vector<std::pair<std::uint32_t, double>> features;  // column, value
  std::string arena;                                       // unescaped strings of a record
};
TextScratch& text_scratch(Buffers& buffers);

// program::TextAnalyzer, prepared. Immutable.
class TextAnalyzer {
 public:
  // N-grams longer than `longest` bytes need not be found.
  static base::Result<TextAnalyzer> make(const program::TextAnalyzer& options, std::size_t longest);

  // Calls sink(std::string_view) for each n-gram. Texts and the sum of their n-grams are bounded:
  // "engine.limit".
  template <class Sink>
  base::Status run(std::string_view text, TextScratch& scratch, Sink sink) const;

  static constexpr std::size_t kLongestText = std::size_t{1} << 27;    // bytes
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;  // of all n-grams of a text

 private:
  std::string_view prepared(std::string_view text, TextScratch& scratch) const;
  base::Status find_tokens(std::string_view text, TextScratch& scratch) const;
  void find_runs(std::string_view text, TextScratch& scratch) const;
  void join_tokens(TextScratch& scratch) const;
  static void collapse_spaces(std::string_view text, TextScratch& scratch);  // into `joined`
  static void split_characters(TextScratch& scratch);                        // of `joined`
  static void pad_words(std::string_view text, TextScratch& scratch);        // into `joined` and `tokens`
  static base::Status too_long();
  template <class Sink>
  base::Status slices(TextScratch& scratch, Sink& sink) const;
  template <class Sink>
  base::Status words(TextScratch& scratch, Sink& sink) const;

  program::Analyzer analyzer_ = program::Analyzer::kWord;
  bool lowercase_ = true;
  program::Accents accents_ = program::Accents::kKeep;
  std::size_t shortest_run_ = 0;            // a token is a run of so many word characters; 0: see pattern_
  std::optional<pytext::Pattern> pattern_;  // otherwise
  TermIndex stop_words_;
  std::size_t min_n_ = 1;
  std::size_t max_n_ = 1;
  std::size_t longest_ = 0;
};

// --- templates ---------------------------------------------------------------------------------------------

template <class Emit>
void KeyCounter::finish(Emit emit) {
  if (is_flushed_) {
    flush();
    for (std::uint32_t key = 0; key < keys_; ++key) {
      if (counts_[key] == 0) continue;
      emit(key, counts_[key]);
      counts_[key] = 0;
    }
    is_flushed_ = false;
    return;
  }
  std::sort(hits_.begin(), hits_.end());
  for (std::size_t i = 0; i < hits_.size();) {
    std::size_t end = i + 1;
    while (end < hits_.size() && hits_[end] == hits_[i]) ++end;
    emit(hits_[i], static_cast<std::uint32_t>(end - i));
    i = end;
  }
  hits_.clear();
}

// min_n to max_n of the pieces [starts[i], ends[i]) of `joined` in a row.
template <class Sink>
base::Status TextAnalyzer::slices(TextScratch& scratch, Sink& sink) const {
  const std::size_t count = scratch.ends.size();
  const char* const joined = scratch.joined.data();
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t n = min_n_; n <= max_n_ && n <= count - i; ++n) {
      const std::size_t length = scratch.ends[i + n - 1] - scratch.starts[i];
      if (length > longest_) break;
      if ((bytes += length) > kMostBytes) return too_long();
      sink(std::string_view(joined + scratch.starts[i], length));
    }
  }
  return {};
}

// char_wb: `starts` and `ends` are the characters of the padded words in `joined`, one word after another.
template <class Sink>
base::Status TextAnalyzer::words(TextScratch& scratch, Sink& sink) const {
  const char* const joined = scratch.joined.data();
  std::uint64_t bytes = 0;
  for (const std::string_view word : scratch.tokens) {  // borrowed from `joined`
    scratch.starts.clear();
    const char* p = word.data();
    while (p < word.data() + word.size()) {
      scratch.starts.push_back(static_cast<std::size_t>(p - joined));
      static_cast<void>(pytext::next_code_point(p, word.data() + word.size()));
    }
    scratch.starts.push_back(static_cast<std::size_t>(p - joined));
    const std::size_t length = scratch.starts.size() - 1;
    for (std::size_t n = min_n_; n <= max_n_; ++n) {
      const std::size_t last = n < length ? length - n : 0;
      for (std::size_t i = 0; i <= last; ++i) {
        const std::size_t size = scratch.starts[std::min(i + n, length)] - scratch.starts[i];
        if ((bytes += size) > kMostBytes) return too_long();
        if (size <= longest_) sink(std::string_view(joined + scratch.starts[i], size));
      }
      if (last == 0) break;
    }
  }
  return {};
}

template <class Sink>
base::Status TextAnalyzer::run(std::string_view text, TextScratch& scratch, Sink sink) const {
  if (text.size() > kLongestText) return too_long();
  const std::string_view ready = prepared(text, scratch);
  if (analyzer_ == program::Analyzer::kWord) {
    TRY(find_tokens(ready, scratch));
    if (max_n_ == 1) {
      for (const std::string_view token : scratch.tokens) sink(token);
      return {};
    }
    join_tokens(scratch);
    return slices(scratch, sink);
  }
  if (analyzer_ == program::Analyzer::kChar) {
    collapse_spaces(ready, scratch);
    split_characters(scratch);
    return slices(scratch, sink);
  }
  pad_words(ready, scratch);
  return words(scratch, sink);
}

}  // namespace wherry::engine
