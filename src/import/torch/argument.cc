#include "import/torch/argument.h"

#include "base/text.h"

namespace wherry::torch {

std::string describe(const Argument& argument) {
  struct Describe {
    std::string operator()(None) const { return "None"; }
    std::string operator()(bool value) const { return value ? "True" : "False"; }
    std::string operator()(std::int64_t value) const { return base::cat("the number ", value); }
    std::string operator()(double value) const { return base::cat("the number ", value); }
    std::string operator()(const std::string& text) const {
      return base::cat("the string ", base::quoted(text));
    }
    std::string operator()(const Tensor&) const { return "a tensor"; }
    std::string operator()(const Symbol&) const { return "a number computed at run time"; }
    std::string operator()(tensor::DType dtype) const {
      return base::cat("the dtype ", tensor::info(dtype).numpy_name);
    }
    std::string operator()(const Device& device) const {
      return base::cat("the device ", base::quoted(device.name));
    }
    std::string operator()(const Layout&) const { return "a layout"; }
    std::string operator()(const MemoryFormat&) const { return "a memory format"; }
    std::string operator()(const Argument::List& items) const {
      return base::cat("a list of ", items.size());
    }
  };
  return std::visit(Describe{}, argument.value);
}

}  // namespace wherry::torch
