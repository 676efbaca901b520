#include <atomic>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <tuple>
#include <vector>

#include "runtime/environment.h"
#include "runtime/session.h"
#include "runtime/testing.h"

namespace wherry::runtime {
namespace {

using tensor::DType;
using tensor::ResultView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
