// A text and a record as requests bring them, to each of the operations that read them.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/plan.h"
#include "program/program.h"

namespace {

using namespace wherry;
using program::ProgramBuilder;

// Aborts on an error: these programs are right.
template <class T>
T must(base::Result<T> result) {
  if (!result) std::abort();
  return *std::move(result);
}

engine::Plan make_plan() {
  ProgramBuilder builder({{{"text", program::ColumnType::kText}}, false, false});
  const auto terms = [&] {
    return builder.weight("terms", tensor::Tensor::of_strings({4}, {"aa", "a b", "é", "a=b"}));
  };
  const auto answer = [&](std::string name, program::Op op) {
    const auto sparse = must(builder.add(std::move(op), {ProgramBuilder::kInput}));
    const auto dense = must(builder.add(program::ToDense{}, {sparse}));
    if (!builder.output({.name = std::move(name), .values = {dense}})) std::abort();
  };
  using program::Accents;
  using program::Analyzer;
  answer("words", program::CountTerms{{.token_pattern = "(?u)\\b\\w\\w+\\b", .max_n = 3}, terms(), false});
  answer("pattern", program::CountTerms{
                        {.accents = Accents::kUnicode, .token_pattern = "[^\\W\\d]+|\\S"}, terms(), true});
  answer("characters", program::CountTerms{{.analyzer = Analyzer::kChar, .max_n = 4}, terms(), false});
  answer("hashed",
         program::HashTerms{
             {.analyzer = Analyzer::kCharWb, .accents = Accents::kAscii, .max_n = 3}, 8, true, false});
  answer("dict", program::DictFeatures{terms(), "=", false, false});
  answer("hashed_dict", program::HashFeatures{program::RecordForm::kDict, 8, true, false});
  answer("hashed_pairs", program::HashFeatures{program::RecordForm::kPair, 8, true, true});
  return must(engine::Plan::compile(must(std::move(builder).build())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const engine::Plan plan = make_plan();
  static engine::Workspace workspace;
  tensor::Table table;
  table.reset(1, 1);
  table.set_text(0, std::string_view(reinterpret_cast<const char*>(data), size));
  for (std::size_t output = 0; output < plan.outputs().size(); ++output) {
    const auto status = plan.run(table, engine::only(output), workspace);
    if (!status && status.error().message.empty()) std::abort();
  }
  return 0;
}
