// Reads Python 3 (the grammar of docs.python.org/3/reference/grammar.html up to 3.13) into the tree of ast.h.
// `match`, `async for`, `yield` and `await` are recognised and kept as Other…; Python 2 is a syntax error.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "import/python/ast.h"

namespace wherry::python {

struct Limits {
  std::size_t bytes = 32 << 20;
  std::size_t nodes = 2'000'000;  // expressions and statements
  std::size_t depth = 200;        // of nested expressions, and of nested blocks (CPython: 200 and 100)
};

// `name` is that of the file, for messages ("model.py:12:5: …"). Errors: "python.syntax", "python.limit".
base::Result<Module> parse(std::string source, std::string name, const Limits& limits = {});

}  // namespace wherry::python
