#include <atomic>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <tuple>
#include <vector>

#include "runtime/environment.h"
#include "runtime/prune.h"
#include "runtime/session.h"
#include "runtime/testing.h"

namespace wherry::runtime {
namespace {

using tensor::DType;
using tensor::ResultView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

template <class T>
ResultView view(DType dtype, std::initializer_list<std::int64_t> shape, const std::vector<T>& elements) {
  ResultView view;
  view.dtype = dtype;
  view.axes = static_cast<std::uint8_t>(shape.size());
  std::copy(shape.begin(), shape.end(), view.lengths.begin());
  if constexpr (std::is_same_v<T, std::string_view>)
    view.texts = elements;
  else
    view.data = elements.data();
  return view;
}

class RuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::has_library()) GTEST_SKIP() << "libonnxruntime.so.1 is not installed";
  }
  static base::Result<std::unique_ptr<const Session>> adder(const std::string& proto) {
    return Session::create({.proto = base::as_bytes(proto),
                            .inputs = {"x"},
                            .outputs = {"sum"},
                            .weights = {{"bias", tensor::Tensor::of<float>({1, 2}, {10, 20})}}});
  }
};

TEST_F(RuntimeTest, RunsAGraphWithAWeightFromOutside) {
  const auto session = adder(testing::adder());
  ASSERT_TRUE(session) << base::describe(session.error());
  Answers answers;
  const std::vector<float> rows{1, 2, 3, 4};
  const ResultView input = view(DType::kFloat32, {2, 2}, rows);
  ASSERT_TRUE((*session)->run({&input, 1}, answers));
  EXPECT_THAT(answers.views()[0].shape(), ElementsAre(2, 2));
  EXPECT_THAT(answers.views()[0].as<float>(), ElementsAre(11, 22, 13, 24));
  const ResultView one = view(DType::kFloat32, {1, 2}, rows);
  ASSERT_TRUE((*session)->run({&one, 1}, answers));
  EXPECT_THAT(answers.views()[0].as<float>(), ElementsAre(11, 22));
  const ResultView none = view(DType::kFloat32, {0, 2}, std::vector<float>());
  ASSERT_TRUE((*session)->run({&none, 1}, answers));
  EXPECT_THAT(answers.views()[0].shape(), ElementsAre(0, 2));
}

TEST_F(RuntimeTest, RunsOneSessionFromManyThreads) {
  const auto session = adder(testing::adder());
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Answers answers;
      const std::vector<float> row{static_cast<float>(t), 0};
      const ResultView input = view(DType::kFloat32, {1, 2}, row);
      for (int i = 0; i < 200; ++i)
        if (!(*session)->run({&input, 1}, answers) || answers.views()[0].as<float>()[0] != row[0] + 10)
          ++wrong;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// sum = x + bias, product = x · turn (where turn is [2, 2]): two outputs with a weight each.
std::string two_branches() {
  using testing::field, testing::number;
  std::string turn = testing::external("turn", 2);
  turn[1] = 2;  // [2, 2]
  return testing::model(field(1, testing::node("Add", "x", "bias", "sum")) +
                        field(1, testing::node("MatMul", "x", "turn", "product")) + field(2, "g") +
                        field(5, testing::external("bias", 2)) + field(5, turn) +
                        field(11, testing::matrix("x", 1, 2)) + field(12, testing::matrix("sum", 1, 2)) +
                        field(12, testing::matrix("product", 1, 2)));
}

TEST_F(RuntimeTest, ComputesOnlyTheOutputsThatAreAskedFor) {
  const auto proto = std::make_shared<const std::string>(two_branches());
  const auto session =
      Session::create({.proto = base::as_bytes(*proto),
                       .inputs = {"x"},
                       .outputs = {"sum", "product"},
                       .weights = {{"bias", tensor::Tensor::of<float>({1, 2}, {10, 20})},
                                   {"turn", tensor::Tensor::of<float>({2, 2}, {0, 1, 1, 0})}},
                       .owner = proto});
  ASSERT_TRUE(session) << base::describe(session.error());
  const std::vector<float> row{1, 2};
  const ResultView input = view(DType::kFloat32, {1, 2}, row);
  Answers answers;
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t first[] = {0}, second[] = {1};
    ASSERT_TRUE((*session)->run({&input, 1}, first, answers));
    EXPECT_THAT(answers.views()[0].as<float>(), ElementsAre(11, 22));
    EXPECT_EQ(answers.views()[1].data, nullptr);
    ASSERT_TRUE((*session)->run({&input, 1}, second, answers));
    EXPECT_THAT(answers.views()[1].as<float>(), ElementsAre(2, 1));
    ASSERT_TRUE((*session)->run({&input, 1}, answers));
    EXPECT_THAT(answers.views()[0].as<float>(), ElementsAre(11, 22));
    EXPECT_THAT(answers.views()[1].as<float>(), ElementsAre(2, 1));
  }
}

TEST(Prune, KeepsWhatTheOutputsNeedAndNothingElse) {
  const std::string proto = two_branches();
  const std::string_view sum[] = {"sum"}, product[] = {"product"}, both[] = {"sum", "product"};
  const auto pruned = prune(base::as_bytes(proto), sum);
  ASSERT_TRUE(pruned);
  EXPECT_THAT(pruned->proto, Not(HasSubstr("MatMul")));
  EXPECT_THAT(pruned->proto, Not(HasSubstr("turn")));
  EXPECT_THAT(pruned->values, ::testing::UnorderedElementsAre("x", "bias", "sum"));
  EXPECT_FALSE(prune(base::as_bytes(proto), product)) << "an addition takes no time";
  EXPECT_FALSE(prune(base::as_bytes(proto), both));
}

TEST(Prune, KeepsWhatGraphsWithinNodesTakeFromOutside) {
  using testing::field;
  const std::string inner = field(1, testing::node("Neg", "deep", "", "in"));
  const std::string loop = testing::node("Loop", "n", "", "out") + field(5, field(6, inner));
  const std::string proto = testing::model(field(1, testing::node("Exp", "x", "", "deep")) + field(1, loop) +
                                           field(1, testing::node("Conv", "x", "", "other")));
  const std::string_view out[] = {"out"};
  const auto pruned = prune(base::as_bytes(proto), out);
  ASSERT_TRUE(pruned);
  EXPECT_THAT(pruned->proto, HasSubstr("Exp"));
  EXPECT_THAT(pruned->proto, Not(HasSubstr("Conv")));
}

TEST(Prune, TakesNoBytesWhichAreNoModel) {
  const std::string_view out[] = {"out"};
  const std::string proto = two_branches();
  for (std::size_t end = 0; end < proto.size(); ++end)
    if (const auto pruned = prune(base::as_bytes(proto).first(end), out)) {
      EXPECT_FALSE(pruned->values.empty()) << end;
    }
}

TEST_F(RuntimeTest, TakesAndGivesTexts) {
  const std::string proto = testing::model(
      testing::field(1, testing::node("Identity", "t", "", "u")) + testing::field(2, "g") +
      testing::field(11, testing::matrix("t", 8, 2)) + testing::field(12, testing::matrix("u", 8, 2)));
  const auto session =
      Session::create({.proto = base::as_bytes(proto), .inputs = {"t"}, .outputs = {"u"}, .weights = {}});
  ASSERT_TRUE(session) << base::describe(session.error());
  using namespace std::string_view_literals;
  const std::vector<std::string_view> texts{"", "a\0b"sv, "\xC3\xA4",
                                            "long enough not to be stored in place"};
  const ResultView input = view(DType::kString, {2, 2}, texts);
  Answers answers;
  ASSERT_TRUE((*session)->run({&input, 1}, answers));
  EXPECT_THAT(answers.views()[0].texts, ::testing::ElementsAreArray(texts));
}

TEST_F(RuntimeTest, TakesEveryType) {
  for (const auto& [number, dtype, size] : {std::tuple{2, DType::kUint8, 1},
                                            {3, DType::kInt8, 1},
                                            {4, DType::kUint16, 2},
                                            {5, DType::kInt16, 2},
                                            {6, DType::kInt32, 4},
                                            {7, DType::kInt64, 8},
                                            {9, DType::kBool, 1},
                                            {10, DType::kFloat16, 2},
                                            {11, DType::kFloat64, 8},
                                            {12, DType::kUint32, 4},
                                            {13, DType::kUint64, 8},
                                            {16, DType::kBfloat16, 2}}) {
    const std::string proto =
        testing::model(testing::field(1, testing::node("Identity", "t", "", "u")) + testing::field(2, "g") +
                       testing::field(11, testing::matrix("t", number, 2)) +
                       testing::field(12, testing::matrix("u", number, 2)));
    const auto session =
        Session::create({.proto = base::as_bytes(proto), .inputs = {"t"}, .outputs = {"u"}, .weights = {}});
    ASSERT_TRUE(session) << base::describe(session.error());
    const std::vector<std::uint64_t> bits{1, 0};
    const ResultView input = view(dtype, {1, 2}, bits);
    Answers answers;
    const auto ran = (*session)->run({&input, 1}, answers);
    ASSERT_TRUE(ran) << base::describe(ran.error());
    EXPECT_EQ(answers.views()[0].dtype, dtype);
    EXPECT_EQ(std::memcmp(answers.views()[0].data, bits.data(), 2 * static_cast<std::size_t>(size)), 0);
  }
}

TEST_F(RuntimeTest, RefusesWhatIsNoModel) {
  const auto session = adder("no model");
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().id, "runtime.bad_model");
  std::string unknown = testing::adder();
  unknown.replace(unknown.find("Add"), 3, "Adx");
  const auto other = adder(unknown);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("Adx"));
}

TEST_F(RuntimeTest, NamesWhatARequestGetsWrong) {
  const auto session = adder(testing::adder());
  const std::vector<float> row{1, 2, 3};
  const ResultView input = view(DType::kFloat32, {1, 3}, row);
  Answers answers;
  const auto ran = (*session)->run({&input, 1}, answers);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().id, "runtime.failed");
  EXPECT_EQ(ran.error().code, base::Code::kInvalidInput);
}

TEST(Places, AreOneWhereItIsGiven) {
  ::setenv("WHERRY_ONNXRUNTIME", "/nowhere/libonnxruntime.so.1", 1);
  EXPECT_THAT(places(), ElementsAre("/nowhere/libonnxruntime.so.1"));
  EXPECT_EQ(find_library(), "");
}

}  // namespace
}  // namespace wherry::runtime
