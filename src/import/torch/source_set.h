// The Python sources that one import may look at: those inside a TorchScript archive, the user's own file and
// its neighbours, and wherry's recipes for torch.nn and torchvision.
//
// Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {

class SourceSet final : public Resolver {
 public:
  // Gives the text of a module and its file's name, or nullopt when there is no such module.
  struct Text {
    std::string text;
    std::string file;
  };
  using Find = std::function<base::Result<std::optional<Text>>(std::string_view module)>;

  SourceSet(SourceKind kind, Find find) : kind_(kind), find_(std::move(find)) {}

  base::Result<const Source*> source(std::string_view module) override;
  std::optional<Value> constant(std::string_view name) override;

  // Forgets the values of one run of the interpreter, which must not outlive it.
  void begin();
  void constants(Values values) { constants_ = std::move(values); }

 private:
  SourceKind kind_;
  Find find_;
  std::map<std::string, std::unique_ptr<Source>, std::less<>> sources_;
  Values constants_;
};

}  // namespace wherry::torch
