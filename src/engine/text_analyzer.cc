#include "engine/text_analyzer.h"

#include <bit>
#include <cstring>

#include "base/text.h"

namespace wherry::engine {
namespace {

// Patterns whose matches are all runs of word characters of a least length: \b cannot cut a run.
struct RunPattern {
  std::string_view pattern;
  std::size_t shortest;
};
constexpr RunPattern kRunPatterns[] = {
    {"(?u)\\b\\w\\w+\\b", 2}, {"\\b\\w\\w+\\b", 2}, {"(?u)\\b\\w+\\b", 1}, {"\\b\\w+\\b", 1},
    {"(?u)\\w\\w+", 2},       {"\\w\\w+", 2},       {"(?u)\\w+", 1},       {"\\w+", 1},
    {"\\b\\w{2,}\\b", 2},     {"\\w{2,}", 2},       {"\\b\\w{3,}\\b", 3},  {"\\w{3,}", 3},
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint32_t hash_of(std::string_view text) {
  constexpr std::uint64_t kA = 0xa0761d6478bd642f;
  constexpr std::uint64_t kB = 0xe7037ed1a0b428db;
  std::uint64_t state = kA ^ text.size();
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    state = mixed(state ^ word, kB);
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, p, left);
  return static_cast<std::uint32_t>(mixed(state ^ word, kA) >> 16);
}

bool is_ascii_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::int32_t murmur_hash(std::string_view bytes) {
  constexpr std::uint32_t kC1 = 0xcc9e2d51;
  constexpr std::uint32_t kC2 = 0x1b873593;
  const auto scrambled = [](std::uint32_t k) { return std::rotl(k * kC1, 15) * kC2; };
  std::uint32_t h = 0;
  const std::size_t blocks = bytes.size() / 4;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::uint32_t k;
    std::memcpy(&k, bytes.data() + 4 * i, 4);
    h = std::rotl(h ^ scrambled(k), 13) * 5 + 0xe6546b64;
  }
  std::uint32_t tail = 0;
  for (std::size_t i = bytes.size(); i-- > 4 * blocks;)
    tail = tail << 8 | static_cast<unsigned char>(bytes[i]);
  if (bytes.size() % 4 != 0) h ^= scrambled(tail);
  h ^= static_cast<std::uint32_t>(bytes.size());
  h = (h ^ h >> 16) * 0x85ebca6b;
  h = (h ^ h >> 13) * 0xc2b2ae35;
  return static_cast<std::int32_t>(h ^ h >> 16);
}

TermIndex::TermIndex(std::span<const std::string> terms) {
  offsets_.reserve(terms.size() + 1);
  offsets_.push_back(0);
  table_.resize(terms.empty() ? 0 : std::bit_ceil(2 * terms.size()));
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const bool is_known = find(terms[i]) >= 0;
    arena_ += terms[i];
    offsets_.push_back(arena_.size());
    longest_ = std::max(longest_, terms[i].size());
    if (is_known) continue;
    const std::uint32_t hash = hash_of(terms[i]);
    std::size_t at = hash & mask;
    while (table_[at].term >= 0) at = (at + 1) & mask;
    table_[at] = {hash, static_cast<std::int32_t>(i)};
  }
}

std::int32_t TermIndex::find(std::string_view text) const {
  if (table_.empty() || text.size() > longest_) return -1;
  const std::size_t mask = table_.size() - 1;
  const std::uint32_t hash = hash_of(text);
  for (std::size_t at = hash & mask; table_[at].term >= 0; at = (at + 1) & mask)
    if (table_[at].hash == hash && term(table_[at].term) == text) return table_[at].term;
  return -1;
}

void KeyCounter::flush() {
  if (counts_.size() < keys_) counts_.resize(keys_, 0);
  for (const std::uint32_t key : hits_) ++counts_[key];
  hits_.clear();
  is_flushed_ = true;
}

// Memory of a rare huge text is given back by the next one.
TextScratch& text_scratch(Buffers& buffers) {
  constexpr std::size_t kMostKept = std::size_t{32} << 20;
  if (buffers.text) {
    const TextScratch& old = *buffers.text;
    const std::size_t kept = old.lower.capacity() + old.folded.capacity() + old.joined.capacity() +
                             old.arena.capacity() + sizeof(std::size_t) * old.starts.capacity() +
                             sizeof(std::size_t) * old.ends.capacity() +
                             sizeof(std::string_view) * old.tokens.capacity();
    if (kept > kMostKept) buffers.text.reset();
  }
  if (!buffers.text) buffers.text = std::make_shared<TextScratch>();
  return *buffers.text;
}

base::Status TextAnalyzer::too_long() {
  return base::fail(base::Code::kLimit, "engine.limit",
                    base::cat("a text longer than ", kLongestText >> 20, " MiB, or with more than ",
                              kMostBytes >> 30, " GiB of n-grams"),
                    "send a shorter text");
}

base::Result<TextAnalyzer> TextAnalyzer::make(const program::TextAnalyzer& options, std::size_t longest) {
  TextAnalyzer out;
  out.analyzer_ = options.analyzer;
  out.lowercase_ = options.lowercase;
  out.accents_ = options.accents;
  out.stop_words_ = TermIndex(options.stop_words);
  out.min_n_ = static_cast<std::size_t>(options.min_n);
  out.max_n_ = static_cast<std::size_t>(options.max_n);
  out.longest_ = longest;
  if (options.analyzer != program::Analyzer::kWord) return out;
  for (const RunPattern& row : kRunPatterns)
    if (row.pattern == options.token_pattern) out.shortest_run_ = row.shortest;
  if (out.shortest_run_ == 0) {
    TRY_ASSIGN(out.pattern_, pytext::Pattern::compile(options.token_pattern));
  }
  return out;
}

std::string_view TextAnalyzer::prepared(std::string_view text, TextScratch& scratch) const {
  if (lowercase_) {
    scratch.lower.clear();
    pytext::append_lower(text, scratch.lower);
    text = scratch.lower;
  }
  if (accents_ != program::Accents::kKeep) {
    scratch.folded.clear();
    pytext::append_without_accents(text, accents_ == program::Accents::kAscii, scratch.folded);
    text = scratch.folded;
  }
  return text;
}

void TextAnalyzer::find_runs(std::string_view text, TextScratch& scratch) const {
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* start = p;
  std::size_t length = 0;  // characters of the run
  const auto finish = [&](const char* behind) {
    if (length >= shortest_run_) scratch.tokens.emplace_back(start, static_cast<std::size_t>(behind - start));
    length = 0;
  };
  while (p < end) {
    const char* const here = p;
    const auto byte = static_cast<unsigned char>(*p);
    const bool in_word =
        byte < 0x80 ? (++p, is_ascii_word(byte)) : pytext::is_word(pytext::next_code_point(p, end));
    if (!in_word) {
      finish(here);
    } else if (length++ == 0) {
      start = here;
    }
  }
  finish(end);
}

base::Status TextAnalyzer::find_tokens(std::string_view text, TextScratch& scratch) const {
  scratch.tokens.clear();
  if (pattern_)
    TRY(pattern_->find_all(text, scratch.matcher, scratch.tokens));
  else
    find_runs(text, scratch);
  if (!stop_words_.empty())
    std::erase_if(scratch.tokens, [&](std::string_view token) { return stop_words_.find(token) >= 0; });
  return {};
}

// The tokens with a space between them, so that every n-gram is a part of it.
void TextAnalyzer::join_tokens(TextScratch& scratch) const {
  scratch.joined.clear();
  scratch.starts.clear();
  scratch.ends.clear();
  for (const std::string_view token : scratch.tokens) {
    if (!scratch.starts.empty()) scratch.joined += ' ';
    scratch.starts.push_back(scratch.joined.size());
    scratch.joined += token;
    scratch.ends.push_back(scratch.joined.size());
  }
}

// re.sub(r"\s\s+", " ", text)
void TextAnalyzer::collapse_spaces(std::string_view text, TextScratch& scratch) {
  scratch.joined.clear();
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const char* const start = p;
    std::size_t spaces = 0;
    while (p < end) {
      const char* const here = p;
      if (!pytext::is_space(pytext::next_code_point(p, end))) {
        if (spaces > 0) p = here;
        break;
      }
      ++spaces;
    }
    if (spaces > 1)
      scratch.joined += ' ';
    else
      scratch.joined.append(start, p);
  }
}

void TextAnalyzer::split_characters(TextScratch& scratch) {
  scratch.starts.clear();
  scratch.ends.clear();
  const char* const begin = scratch.joined.data();
  const char* const end = begin + scratch.joined.size();
  for (const char* p = begin; p < end;) {
    scratch.starts.push_back(static_cast<std::size_t>(p - begin));
    static_cast<void>(pytext::next_code_point(p, end));
    scratch.ends.push_back(static_cast<std::size_t>(p - begin));
  }
}

// str.split(), each word with a space before and behind.
void TextAnalyzer::pad_words(std::string_view text, TextScratch& scratch) {
  scratch.joined.clear();
  scratch.tokens.clear();
  scratch.starts.clear();
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* start = nullptr;
  const auto finish = [&](const char* behind) {
    if (start == nullptr) return;
    scratch.starts.push_back(scratch.joined.size());
    scratch.joined += ' ';
    scratch.joined.append(start, behind);
    scratch.joined += ' ';
    start = nullptr;
  };
  while (p < end) {
    const char* const here = p;
    if (pytext::is_space(pytext::next_code_point(p, end)))
      finish(here);
    else if (start == nullptr)
      start = here;
  }
  finish(end);
  scratch.starts.push_back(scratch.joined.size());
  for (std::size_t i = 0; i + 1 < scratch.starts.size(); ++i)
    scratch.tokens.push_back(std::string_view(scratch.joined)
                                 .substr(scratch.starts[i], scratch.starts[i + 1] - scratch.starts[i]));
}

}  // namespace wherry::engine
