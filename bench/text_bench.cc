// Microseconds per text of 100 words: tf-idf of 20,000 terms and a logistic regression, one text a call.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "engine/plan.h"
#include "program/program.h"

namespace {

using namespace wherry;
using tensor::Tensor;

constexpr std::size_t kTerms = 20'000;

// Words of 2 to 12 letters, some beyond ASCII; frequent ones are short, as in a language.
std::vector<std::string> make_words(std::size_t count, std::mt19937_64& random) {
  constexpr const char* kLetters[] = {"e", "n", "i", "s", "r", "a", "t", "d", "h", "u", "l", "c", "ä", "é"};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i) {
    std::string word;
    for (std::size_t length = 2 + i * 8 / count + random() % 3; length > 0; --length)
      word += kLetters[random() % std::size(kLetters)];
    words.push_back(std::move(word));
  }
  return words;
}

std::string make_text(const std::vector<std::string>& words, std::mt19937_64& random) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    const double u = std::uniform_real_distribution<double>(0, 1)(random);
    std::string word = words[static_cast<std::size_t>(u * u * u * static_cast<double>(words.size()))];
    if (i % 10 == 0 && word[0] >= 'a') word[0] = static_cast<char>(word[0] & ~0x20);
    text += word + (i % 12 == 11 ? ". " : " ");
  }
  return text;
}

base::Result<engine::Plan> make_plan(const program::TextAnalyzer& analyzer, std::vector<std::string> terms) {
  std::ranges::sort(terms);
  terms.erase(std::ranges::unique(terms).begin(), terms.end());
  const auto width = static_cast<std::int64_t>(terms.size());
  const auto filled = [&](double value) { return std::vector<double>(terms.size(), value); };
  program::ProgramBuilder builder({{{"text", program::ColumnType::kText}}, false, false});
  const auto weight = builder.weight("terms", Tensor::of_strings({width}, terms));
  TRY_ASSIGN(const auto counts, builder.add(program::CountTerms{analyzer, weight, false}, {0}));
  const auto idf = builder.weight("idf", Tensor::of({width}, filled(1.7)));
  TRY_ASSIGN(
      const auto weighed,
      builder.add(program::WeighTerms{.use_idf = true, .idf = idf, .norm = program::Norm::kL2}, {counts}));
  const program::Linear linear{builder.weight("c", Tensor::of({1, width}, filled(0.01))),
                               builder.weight("i", Tensor::of({1}, std::vector<double>{0.1}))};
  TRY_ASSIGN(const auto score, builder.add(linear, {weighed}));
  TRY_ASSIGN(const auto p, builder.add(program::Apply{program::Function::kExpit}, {score}));
  TRY_ASSIGN(const auto both, builder.add(program::Complement{}, {p}));
  TRY(builder.output({.name = "predict_proba", .values = {both}}));
  TRY_ASSIGN(auto program, std::move(builder).build());
  return engine::Plan::compile(std::move(program));
}

// The median over repetitions of the mean time of a text.
double microseconds(const engine::Plan& plan, const std::vector<std::string>& texts) {
  using Clock = std::chrono::steady_clock;
  engine::Workspace workspace;
  tensor::Table table;
  std::vector<double> times;
  const auto deadline = Clock::now() + std::chrono::seconds(1);
  while (Clock::now() < deadline || times.size() < 3) {
    const auto start = Clock::now();
    for (const std::string& text : texts) {
      table.reset(1, 1);
      table.set_text(0, text);
      if (!plan.run(table, plan.all_outputs(), workspace)) std::abort();
    }
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    times.push_back(took.count() / static_cast<double>(texts.size()));
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

bool measure(const char* name, const program::TextAnalyzer& analyzer, const std::vector<std::string>& terms,
             const std::vector<std::string>& texts) {
  const auto plan = make_plan(analyzer, terms);
  if (!plan) {
    std::fprintf(stderr, "error: %s\n", base::describe(plan.error()).c_str());
    return false;
  }
  std::printf("%-45s %10.2f\n", name, microseconds(*plan, texts));
  return true;
}

}  // namespace

int main() {
  std::mt19937_64 random(7);
  const std::vector<std::string> words = make_words(kTerms, random);
  std::vector<std::string> texts, pairs = words, parts;
  for (int i = 0; i < 1024; ++i) texts.push_back(make_text(words, random));
  for (std::size_t i = 0; i < kTerms; ++i)
    pairs.push_back(words[random() % 500] + " " + words[random() % 500]);
  for (const std::string& word : words)
    for (std::size_t n = 2; n <= 4 && n < word.size(); ++n) parts.push_back(word.substr(0, n));
  const program::TextAnalyzer one{.token_pattern = "(?u)\\b\\w\\w+\\b"};
  const program::TextAnalyzer two{.token_pattern = "(?u)\\b\\w\\w+\\b", .max_n = 2};
  const program::TextAnalyzer custom{.token_pattern = "[^\\W\\d_]+(?:'\\w+)?"};
  const program::TextAnalyzer characters{.analyzer = program::Analyzer::kCharWb, .min_n = 2, .max_n = 4};
  std::printf("%-45s %10s\n", "microseconds per text of 100 words", "1 row");
  const bool good = measure("tf-idf of words, logistic regression", one, words, texts) &&
                    measure("of words and pairs", two, pairs, texts) &&
                    measure("of words by an own pattern", custom, words, texts) &&
                    measure("of 2 to 4 characters within words", characters, parts, texts);
  return good ? 0 : 1;
}
