#include "import/python/ast.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::python {

Module::Module(std::string name, std::string source)
    : name_(std::make_unique<std::string>(std::move(name))),
      source_(std::make_unique<std::string>(std::move(source))) {}

std::string Module::where(Position at) const {
  return base::cat(*name_, ":", at.line);
}

std::string_view Module::line(Position at) const {
  std::string_view rest = *source_;
  for (std::uint32_t line = 1; line < at.line; ++line) {
    const std::size_t end = rest.find_first_of("\r\n");
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return base::trim(rest.substr(0, std::min(rest.find_first_of("\r\n"), rest.size())));
}

namespace {

template <class T>
const T* find_last(const Body& body, std::string_view name) {
  for (auto statement = body.rbegin(); statement != body.rend(); ++statement) {
    if (const T* found = (*statement)->as<T>(); found && found->name == name) return found;
  }
  return nullptr;
}

}  // namespace

const Class* Module::find_class(std::string_view name) const {
  return find_last<Class>(body_, name);
}

const Function* Module::find_function(std::string_view name) const {
  return find_last<Function>(body_, name);
}

const Function* find_method(const Class& definition, std::string_view name) {
  return find_last<Function>(definition.body, name);
}

std::string Module::dotted(const Expression& expression) {
  std::vector<std::string_view> parts;
  const Expression* at = &expression;
  while (const auto* attribute = at->as<Attribute>()) {
    parts.push_back(attribute->name);
    at = attribute->object;
  }
  const auto* name = at->as<Name>();
  if (!name) return {};
  std::string text(name->id);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    text += '.';
    text += *part;
  }
  return text;
}

}  // namespace wherry::python
