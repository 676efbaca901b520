#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "import/python/literals.h"
#include "import/python/parser.h"

namespace wherry::python {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Module read(std::string source) {
  auto made = parse(std::move(source), "model.py");
  EXPECT_TRUE(made) << base::describe(made.error());
  return made ? *std::move(made) : Module("", "");
}

base::Error refused(std::string source, const Limits& limits = {}) {
  const auto made = parse(std::move(source), "model.py", limits);
  return made ? base::Error{} : made.error();
}

// The tree as an expression in prefix form, so that a test can say what it expects in one line.
std::string show(const Expression* node);

std::string show_all(const Expressions& nodes) {
  std::string text;
  for (const Expression* each : nodes) text += base::cat(" ", show(each));
  return text;
}

struct Show {
  std::string operator()(const Constant& node) const {
    struct Value {
      std::string operator()(NoneLiteral) const { return "None"; }
      std::string operator()(EllipsisLiteral) const { return "..."; }
      std::string operator()(bool value) const { return value ? "True" : "False"; }
      std::string operator()(std::int64_t value) const { return std::to_string(value); }
      std::string operator()(double value) const { return base::cat(value, "f"); }
      std::string operator()(const std::string& value) const { return base::cat("'", value, "'"); }
      std::string operator()(const BytesLiteral& value) const { return base::cat("b'", value.value, "'"); }
      std::string operator()(const BigInteger& value) const { return base::cat("big ", value.digits); }
      std::string operator()(const Imaginary& value) const { return base::cat(value.value, "j"); }
    };
    return std::visit(Value{}, node.value);
  }
  std::string operator()(const Name& node) const { return std::string(node.id); }
  std::string operator()(const Attribute& node) const { return base::cat(show(node.object), ".", node.name); }
  std::string operator()(const Subscript& node) const {
    return base::cat(show(node.object), "[", show(node.index), "]");
  }
  std::string operator()(const Slice& node) const {
    return base::cat("slice ", show(node.start), " ", show(node.stop), " ", show(node.step));
  }
  std::string operator()(const Call& node) const {
    std::string text = base::cat("(call ", show(node.callee));
    for (const Argument& each : node.arguments) {
      text += base::cat(" ", std::string(static_cast<std::size_t>(each.stars), '*'), each.keyword,
                        each.keyword.empty() ? "" : "=", show(each.value));
    }
    return text + ")";
  }
  std::string operator()(const Unary& node) const {
    return base::cat("(", node.op, " ", show(node.operand), ")");
  }
  std::string operator()(const Binary& node) const {
    return base::cat("(", node.op, " ", show(node.left), " ", show(node.right), ")");
  }
  std::string operator()(const Logical& node) const {
    return base::cat("(", node.is_and ? "and" : "or", show_all(node.operands), ")");
  }
  std::string operator()(const Comparison& node) const {
    std::string text = base::cat("(", show(node.first));
    for (const auto& [op, operand] : node.rest) text += base::cat(" ", op, " ", show(operand));
    return text + ")";
  }
  std::string operator()(const Conditional& node) const {
    return base::cat("(if ", show(node.test), " ", show(node.then), " ", show(node.otherwise), ")");
  }
  std::string operator()(const TupleDisplay& node) const {
    return base::cat("(tuple", show_all(node.items), ")");
  }
  std::string operator()(const ListDisplay& node) const {
    return base::cat("(list", show_all(node.items), ")");
  }
  std::string operator()(const SetDisplay& node) const {
    return base::cat("(set", show_all(node.items), ")");
  }
  std::string operator()(const DictDisplay& node) const {
    std::string text = "(dict";
    for (const auto& [key, value] : node.entries) text += base::cat(" ", show(key), ":", show(value));
    return text + ")";
  }
  std::string operator()(const Comprehension& node) const {
    std::string text = base::cat("(for ", show(node.element));
    if (node.value) text += base::cat(":", show(node.value));
    for (const Clause& each : node.clauses) {
      text += base::cat(" ", show(each.target), " in ", show(each.iterable));
      for (const Expression* condition : each.conditions) text += base::cat(" if ", show(condition));
    }
    return text + ")";
  }
  std::string operator()(const Starred& node) const { return base::cat("*", show(node.value)); }
  std::string operator()(const FormattedString& node) const {
    std::string text = "(f";
    for (const FormattedPart& part : node.parts) {
      if (!part.value) {
        text += base::cat(" '", part.text, "'");
        continue;
      }
      text += base::cat(" ", show(part.value));
      if (part.conversion) text += base::cat("!", part.conversion);
      if (part.format) text += base::cat(":", show(part.format));
    }
    return text + ")";
  }
  std::string operator()(const NamedExpression& node) const {
    return base::cat("(:= ", node.name, " ", show(node.value), ")");
  }
  std::string operator()(const Lambda& node) const {
    std::string text = "(lambda";
    for (const Parameter& each : node.parameters) text += base::cat(" ", each.name);
    return base::cat(text, ": ", show(node.body), ")");
  }
  std::string operator()(const OtherExpression& node) const { return base::cat("(other ", node.what, ")"); }
};

std::string show(const Expression* node) {
  return node ? std::visit(Show{}, node->value) : "-";
}

std::string tree(std::string source) {
  const Module module = read(std::move(source));
  if (module.body().size() != 1) return "not one statement";
  const auto* statement = module.body()[0]->as<ExpressionStatement>();
  return statement ? show(statement->value) : "not an expression";
}

TEST(PythonSource, BindsOperatorsAsPythonDoes) {
  EXPECT_EQ(tree("a + b * c ** -d ** e"), "(+ a (* b (** c (- (** d e)))))");
  EXPECT_EQ(tree("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(tree("x @ y / z % w // v"), "(// (% (/ (@ x y) z) w) v)");
  EXPECT_EQ(tree("a | b ^ c & d << e"), "(| a (^ b (& c (<< d e))))");
  EXPECT_EQ(tree("not a == b and c or d"), "(or (and (not (a == b)) c) d)");
  EXPECT_EQ(tree("a < b <= c is not None not in d"), "(a < b <= c is not None not in d)");
  EXPECT_EQ(tree("a if b else c if d else e"), "(if b a (if d c e))");
  EXPECT_EQ(tree("-x.y(1)[2]"), "(- (call x.y 1)[2])");
  EXPECT_EQ(tree("~a"), "(~ a)");
  EXPECT_EQ(tree("(n := len(x)) > 3"), "((:= n (call len x)) > 3)");
}

TEST(PythonSource, ReadsLiterals) {
  EXPECT_EQ(tree("[0x1F, 0b101, 0o17, 1_000, -7, 9223372036854775807, -9223372036854775808]"),
            "(list 31 5 15 1000 -7 9223372036854775807 -9223372036854775808)");
  EXPECT_EQ(tree("[1., .5, 1e-05, 6.0221409e+23, 1E3, -2.5]"),
            "(list 1f 0.5f 1e-05f 6.0221409e+23f 1000f -2.5f)");
  EXPECT_EQ(tree("[9223372036854775808, 2j, 1e999, 1e-999]"), "(list big 9223372036854775808 2j inff 0f)");
  EXPECT_EQ(tree("-(-9223372036854775808)"), "(- -9223372036854775808)");
  EXPECT_EQ(tree("(None, True, False, ...)"), "(tuple None True False ...)");
  EXPECT_EQ(tree(R"(['a\n\x41\101\u00e9', "it's", r'\n', b'\xff', 'a' "b" '''c'''])"),
            "(list 'a\nAA\xc3\xa9' 'it's' '\\n' b'\xff' 'abc')");
  EXPECT_EQ(tree("'''two\nlines'''"), "'two\nlines'");
  EXPECT_EQ(tree("()"), "(tuple)");
  EXPECT_EQ(tree("[(1, 2), 3]"), "(list (tuple 1 2) 3)");
  EXPECT_EQ(tree("[(1, 2)]"), "(list (tuple 1 2))");
  EXPECT_EQ(tree("{'a': 1, **b}"), "(dict 'a':1 -:b)");
  EXPECT_EQ(tree("{1, *a}"), "(set 1 *a)");
  EXPECT_EQ(tree("{}"), "(dict)");
  EXPECT_EQ(tree("1,"), "(tuple 1)");
}

TEST(PythonSource, ReadsFormattedStrings) {
  EXPECT_EQ(tree(R"(f"layer{i}")"), "(f 'layer' i)");
  EXPECT_EQ(tree(R"(f'{{{x!r:>{w}}}}' "b")"), "(f '{' x!r:(f '>' w) '}' 'b')");
  EXPECT_EQ(tree(R"(f"{d['k']} {f(a, b):.3f}")"), "(f d['k'] ' ' (call f a b):(f '.3f'))");
  EXPECT_EQ(tree(R"(f"{x=}")"), "(f 'x=' x!r)");
  EXPECT_EQ(tree(R"(f"{f"{a}"}")"), "(f (f a))");
  EXPECT_EQ(tree(R"(f"{a != b}")"), "(f (a != b))");
  EXPECT_EQ(refused("f'{a'").id, "python.syntax");
  EXPECT_EQ(refused("f'}'").id, "python.syntax");
  EXPECT_EQ(refused("f'{}'").id, "python.syntax");
}

TEST(PythonSource, ReadsCallsSlicesAndComprehensions) {
  EXPECT_EQ(tree("f(a, *b, c=1, **d)"), "(call f a *b c=1 **d)");
  EXPECT_EQ(tree("x[1:2, ..., None, ::-1, :]"), "x[(tuple slice 1 2 - ... None slice - - -1 slice - - -)]");
  EXPECT_EQ(tree("x[1,]"), "x[(tuple 1)]");
  EXPECT_EQ(tree("[f(i) for i, (a, b) in z if i if b for c in d]"),
            "(for (call f i) (tuple i (tuple a b)) in z if i if b c in d)");
  EXPECT_EQ(tree("{k: v for k, v in d.items()}"), "(for k:v (tuple k v) in (call d.items))");
  EXPECT_EQ(tree("sum(x for x in y)"), "(call sum (for x x in y))");
  EXPECT_EQ(tree("lambda x, *y, z=1, **k: x"), "(lambda x y z k: x)");
  EXPECT_EQ(tree("lambda: 0"), "(lambda: 0)");
  EXPECT_EQ(tree("[yield_, (yield a)]"), "(list yield_ (other yield))");
}

TEST(PythonSource, ReadsStatements) {
  const Module module = read(
      "import torch.nn as nn, os\n"
      "from . import a\n"
      "from ..b.c import (d as e,\n"
      "    f,)\n"
      "from g import *\n"
      "x: int = 1; y = z = 2\n"
      "a, *b = c\n"
      "x //= 2\n"
      "del a[0], b\n"
      "assert x, 'no'\n"
      "raise ValueError('x') from e\n"
      "with torch.no_grad(), open(p) as q: pass\n"
      "with (a as b, c as d):\n    pass\n"
      "try:\n  pass\nexcept (A, B) as e:\n  pass\nelse:\n  pass\nfinally:\n  pass\n"
      "global u, v\n"
      "if a: b\nelif c: d\nelse: e\n"
      "while a:\n  break\nelse:\n  continue\n"
      "for i, (j, *k) in x: pass\n"
      "return a, b\n"
      "type Alias = int\n"
      "match x:\n    case 1:\n        pass\n"
      "match = 3\n"
      "async def f(): await g()\n");
  ASSERT_EQ(module.body().size(), 23U);
  const auto* import = module.body()[0]->as<Import>();
  ASSERT_TRUE(import);
  EXPECT_EQ(import->names[0].name, "torch.nn");
  EXPECT_EQ(import->names[0].alias, "nn");
  EXPECT_EQ(module.body()[1]->as<ImportFrom>()->level, 1);
  const auto* from = module.body()[2]->as<ImportFrom>();
  EXPECT_EQ(from->module, "b.c");
  EXPECT_EQ(from->level, 2);
  ASSERT_EQ(from->names.size(), 2U);
  EXPECT_EQ(from->names[0].alias, "e");
  EXPECT_EQ(module.body()[5]->as<Assign>()->targets.size(), 2U);
  EXPECT_EQ(show(module.body()[6]->as<Assign>()->targets[0]), "(tuple a *b)");
  EXPECT_EQ(module.body()[7]->as<AugmentedAssign>()->op, "//");
  EXPECT_EQ(module.body()[11]->as<With>()->items.size(), 2U);
  EXPECT_EQ(module.body()[12]->as<With>()->items.size(), 2U);
  EXPECT_EQ(module.body()[13]->as<Try>()->handlers[0].name, "e");
  const auto* branch = module.body()[15]->as<If>();
  ASSERT_EQ(branch->otherwise.size(), 1U);
  EXPECT_EQ(branch->otherwise[0]->as<If>()->otherwise.size(), 1U);
  EXPECT_EQ(show(module.body()[17]->as<For>()->target), "(tuple i (tuple j *k))");
  EXPECT_EQ(module.body()[19]->as<OtherStatement>()->what, "type");
  EXPECT_EQ(module.body()[20]->as<OtherStatement>()->what, "match");
  EXPECT_TRUE(module.body()[21]->as<Assign>());
}

TEST(PythonSource, ReadsAModuleWithItsMethods) {
  const Module module = read(
      "# a comment\n"
      "@decorate(1)\n"
      "class Net(nn.Module, metaclass=M):\n"
      "\t'''Text.'''\n"
      "\tdef __init__(self, width: int = 3, *args, scale: float = 2., **kw) -> None:\n"
      "\t\tsuper().__init__()\n"
      "\t\tself.fc = nn.Linear(width,  # joined\n"
      "2)\n"
      "\n"
      "\tdef forward(self, x):\n"
      "\t\tx = self.fc(x) \\\n"
      "\t\t\t+ 1\n"
      "\t\treturn x\n");
  const Class* net = module.find_class("Net");
  ASSERT_TRUE(net);
  EXPECT_EQ(net->bases.size(), 2U);
  EXPECT_EQ(Module::dotted(*net->bases[0].value), "nn.Module");
  EXPECT_EQ(net->decorators.size(), 1U);
  const Function* init = find_method(*net, "__init__");
  ASSERT_TRUE(init);
  ASSERT_EQ(init->parameters.size(), 5U);
  EXPECT_EQ(init->parameters[1].name, "width");
  EXPECT_EQ(show(init->parameters[1].annotation), "int");
  EXPECT_EQ(show(init->parameters[1].fallback), "3");
  EXPECT_EQ(init->parameters[2].kind, ParameterKind::kStar);
  EXPECT_EQ(init->parameters[3].kind, ParameterKind::kKeywordOnly);
  EXPECT_EQ(init->parameters[4].kind, ParameterKind::kDoubleStar);
  const Function* forward = find_method(*net, "forward");
  ASSERT_TRUE(forward);
  ASSERT_EQ(forward->body.size(), 2U);
  EXPECT_EQ(forward->body[0]->at.line, 11U);
  EXPECT_EQ(module.where(forward->body[1]->at), "model.py:13");
  EXPECT_EQ(module.line(forward->body[1]->at), "return x");
  EXPECT_EQ(find_method(*net, "backward"), nullptr);
}

TEST(PythonSource, ReadsTorchScriptCode) {
  const Module module = read(
      "class Net(Module):\n"
      "  __parameters__ = [\"weight\", ]\n"
      "  __buffers__ = []\n"
      "  weight : Tensor\n"
      "  training : bool\n"
      "  __annotations__[\"0\"] = __torch__.torch.nn.modules.linear.Linear\n"
      "  fc : __torch__.torch.nn.modules.linear.___torch_mangle_3.Linear\n"
      "  def forward(self: __torch__.Net,\n"
      "    x: Tensor) -> Tuple[Tensor, Optional[int]]:\n"
      "    _0 = getattr(self, \"0\")\n"
      "    _1 = torch.ne(torch.len(annotate(List[int], [])), 9223372036854775807)\n"
      "    if _1:\n"
      "      _2 = unchecked_cast(Tensor, x)\n"
      "    else:\n"
      "      ops.prim.RaiseException(\"AssertionError: \\n\")\n"
      "      _2 = uninitialized(Tensor)\n"
      "    return (_2, CONSTANTS.c0)\n");
  const Class* net = module.find_class("Net");
  ASSERT_TRUE(net);
  const Function* forward = find_method(*net, "forward");
  ASSERT_TRUE(forward);
  EXPECT_EQ(show(forward->returns), "Tuple[(tuple Tensor Optional[int])]");
  EXPECT_EQ(Module::dotted(*forward->parameters[0].annotation), "__torch__.Net");
  EXPECT_EQ(forward->body.size(), 4U);
}

TEST(PythonSource, NamesTheFirstPlaceThatIsNotPython) {
  const auto at = [](std::string source) { return refused(std::move(source)).message; };
  EXPECT_EQ(at("x = (1,\n  2 3)\n"), "model.py:2:5: expected ')', found '3'");
  EXPECT_EQ(at("def f(:\n  pass\n"), "model.py:1:7: expected the name of a parameter, found ':'");
  EXPECT_EQ(at("if x:\npass\n"), "model.py:2:1: expected an indented block, found 'pass'");
  EXPECT_EQ(at("if x:\n    a\n  b\n"), "model.py:3:3: this indentation matches no outer one");
  EXPECT_THAT(at("  x = 1\n"), HasSubstr("more indentation"));
  EXPECT_THAT(at("x = 'abc\n"), HasSubstr("a string is never closed"));
  EXPECT_THAT(at("x = [1, 2\n"), HasSubstr("a bracket is never closed"));
  EXPECT_THAT(at("x = 1)\n"), HasSubstr("')' without its opening bracket"));
  EXPECT_THAT(at("x = $\n"), HasSubstr("unexpected character"));
  EXPECT_THAT(at("x = 12ab\n"), HasSubstr("expected the end of the statement"));
  EXPECT_THAT(at("x = 0xZZ\n"), HasSubstr("bad number"));
  EXPECT_THAT(at("print 'python 2'\n"), HasSubstr("expected the end of the statement"));
  EXPECT_THAT(at("class = 3\n"), HasSubstr("the name of a class"));
  EXPECT_EQ(at(std::string("x = \0", 5)), "model.py:1:5: unexpected character '\\x00'");
}

TEST(PythonSource, BoundsDepthNodesAndBytes) {
  EXPECT_EQ(refused(std::string(5'000, '(') + std::string(5'000, ')')).id, "python.limit");
  EXPECT_EQ(refused(std::string(300, '(') + "x" + std::string(300, ')')).id, "python.limit");
  EXPECT_EQ(refused(std::string(100'000, '-') + "x").id, "python.limit");
  std::string chain = "x";
  for (int i = 0; i < 1'000; ++i) chain += "+x";
  EXPECT_EQ(refused(chain).id, "python.limit");
  std::string dots = "x";
  for (int i = 0; i < 1'000; ++i) dots += ".x";
  EXPECT_EQ(refused(dots).id, "python.limit");
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  EXPECT_EQ(refused(nots + "x").id, "python.limit");
  std::string lambdas;
  for (int i = 0; i < 100'000; ++i) lambdas += "lambda:";
  EXPECT_EQ(refused(lambdas + "x").id, "python.limit");
  std::string powers = "x";
  for (int i = 0; i < 100'000; ++i) powers += "**x";
  EXPECT_EQ(refused(powers).id, "python.limit");
  std::string branches = "if x: a\n";
  for (int i = 0; i < 10'000; ++i) branches += "elif x: a\n";
  EXPECT_EQ(refused(branches).id, "python.limit");
  EXPECT_EQ(refused("x\ny\nz\n", {.nodes = 3}).id, "python.limit");
  EXPECT_EQ(refused("x = 1\n", {.bytes = 3}).id, "python.limit");
  std::string strings = "x";
  for (int i = 0; i < 50; ++i) strings = base::cat("f'{", strings, "}'");
  EXPECT_EQ(refused(strings).id, "python.syntax");
}

TEST(PythonSource, ReadsFilesOfEveryLineEnd) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const Module module = read(base::cat("\xef\xbb\xbfif a:", end, "  b", end, end, "  # c", end, "c", end));
    ASSERT_EQ(module.body().size(), 2U);
    EXPECT_EQ(module.body()[1]->at.line, 5U);
    EXPECT_EQ(module.line(module.body()[1]->at), "c");
  }
  EXPECT_TRUE(read("").body().empty());
  EXPECT_TRUE(read("# only\n\n").body().empty());
  EXPECT_EQ(read("a\nb").body().size(), 2U);
}

TEST(PythonSource, TakesStringsApart) {
  const StringSpelling spelling = take_apart("Rb'''x'''");
  EXPECT_TRUE(spelling.raw && spelling.bytes && !spelling.formatted);
  EXPECT_EQ(spelling.inside, "x");
  EXPECT_EQ(unescape("\\N{BULLET}", false), "\xef\xbf\xbd");
  EXPECT_EQ(unescape("\\N{BULLET", false), std::nullopt);
  EXPECT_EQ(unescape("\\x4", false), std::nullopt);
  EXPECT_EQ(unescape("\\U00110000", false), std::nullopt);
  EXPECT_EQ(unescape("\\d\\\n", false), "\\d");
}

}  // namespace
}  // namespace wherry::python
