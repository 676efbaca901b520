#include "import/hdf5/hdf5.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"

namespace wherry::hdf5 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string content(std::string_view name) {
  const auto read =
      base::real_files().read(base::cat(WHERRY_SOURCE_DIR, "/tests/fixtures/hdf5/", name), 1 << 20);
  EXPECT_TRUE(read) << name;
  return read.value_or("");
}

File open(const std::string& bytes, const Limits& limits = {}) {
  auto file = File::open(base::as_bytes(bytes), nullptr, limits);
  EXPECT_TRUE(file) << base::describe(file.error());
  return *std::move(file);
}

tensor::Tensor dataset(File& file, std::string_view path) {
  const auto object = file.find(path);
  EXPECT_TRUE(object) << path;
  auto value = file.read(*object, path);
  EXPECT_TRUE(value) << base::describe(value.error());
  return value.value_or(tensor::Tensor());
}

class Written : public ::testing::TestWithParam<std::tuple<std::string_view, std::size_t>> {
 protected:
  std::string bytes = content(std::get<0>(GetParam()));
  File file = open(bytes);
};

INSTANTIATE_TEST_SUITE_P(Files, Written,
                         ::testing::Values(std::tuple("default.h5", std::size_t{20}),
                                           std::tuple("latest.h5", std::size_t{3}),
                                           std::tuple("dense.h5", std::size_t{40})));

TEST_P(Written, DatasetsOfEveryType) {
  const auto numbers = dataset(file, "numbers");
  EXPECT_THAT(numbers.shape(), ElementsAre(2, 3));
  EXPECT_THAT(numbers.as<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(dataset(file, "scalar").as<double>(), ElementsAre(0.5));
  EXPECT_EQ(dataset(file, "half").dtype(), tensor::DType::kFloat16);
  EXPECT_THAT(dataset(file, "big").as<std::int32_t>(), ElementsAre(1, 256));
  EXPECT_THAT(dataset(file, "bools").as_bools(), ElementsAre(1, 0));
  EXPECT_THAT(dataset(file, "texts").as_strings(), ElementsAre("a", "bc"));
  EXPECT_THAT(dataset(file, "nothing").shape(), ElementsAre(0, 3));
  EXPECT_EQ(dataset(file, "pairs").dtype(), tensor::DType::kBfloat16);
  EXPECT_THAT(dataset(file, "a/b/c").as<std::int64_t>(), ElementsAre(3));
}

TEST_P(Written, AttributesOfEveryKind) {
  const auto root = file.find("");
  ASSERT_TRUE(root);
  EXPECT_EQ(*file.text(*root, "text"), "grüße");
  EXPECT_EQ(*file.text(*root, "bytes"), "abc");
  EXPECT_THAT(**file.texts(*root, "fixed"), ElementsAre("ab", "c"));
  EXPECT_THAT(**file.texts(*root, "variable"), ElementsAre("x", "", "yy"));
  EXPECT_THAT((**file.attribute(*root, "number")).as<std::int64_t>(), ElementsAre(-7));
  EXPECT_THAT(**file.texts(*root, "empty"), ElementsAre());
  EXPECT_EQ(*file.attribute(*root, "none"), std::nullopt);
  EXPECT_EQ(*file.text(*root, "number"), std::nullopt);
  const std::size_t many = std::get<1>(GetParam());
  for (std::size_t i = 0; i < many; ++i)
    EXPECT_THAT((**file.attribute(*root, base::cat("extra_", i))).as<std::int64_t>(), ElementsAre(i));
}

TEST_P(Written, GroupsListTheirMembersAndNoSoftLinks) {
  const auto root = file.find("");
  ASSERT_TRUE(root);
  EXPECT_FALSE(root->is_dataset());
  const auto links = file.links(*root);
  ASSERT_TRUE(links);
  EXPECT_EQ(links->size(), 10U);
  const std::size_t many = std::get<1>(GetParam());
  for (std::size_t i = 0; i < many; ++i)
    EXPECT_THAT(dataset(file, base::cat("many/m", i)).as<float>(), ElementsAre(static_cast<float>(i)));
  EXPECT_EQ(file.links(*file.find("many"))->size(), many);
  EXPECT_EQ(file.find("soft").error().id, "hdf5.not_found");
  EXPECT_EQ(file.find("numbers/x").error().id, "hdf5.not_found");
}

TEST(Hdf5, ChunksAreInflatedAndPutInPlace) {
  const std::string bytes = content("chunked.h5");
  File file = open(bytes);
  for (const std::string_view name : {"gzip", "plain"}) {
    const auto values = dataset(file, name);
    ASSERT_THAT(values.shape(), ElementsAre(7, 11));
    for (std::int32_t i = 0; i < 77; ++i)
      EXPECT_EQ(values.as<std::int32_t>()[static_cast<std::size_t>(i)], i);
  }
  const auto refused = file.read(*file.find("lzf"), "'lzf'");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "hdf5.unsupported");
  EXPECT_THAT(refused.error().message, HasSubstr("filter 32000 of 'lzf'"));
}

TEST(Hdf5, RefusesWhatIsCutOffOrNotHdf5) {
  EXPECT_FALSE(recognise("PK\x03\x04"));
  const std::string bytes = content("default.h5");
  EXPECT_TRUE(recognise(bytes));
  for (const std::size_t size : {0, 7, 8, 40, 95, 200}) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_EQ(File::open(base::as_bytes(cut), nullptr).error().id, "hdf5.bad_file") << size;
  }
}

TEST(Hdf5, LimitsAreErrors) {
  const std::string bytes = content("default.h5");
  // What opening, finding and listing count is the reader's own affair: some limit lets a file be opened and
  // not be listed, and none ends otherwise than with the limit's error.
  bool refused_later = false;
  for (std::uint64_t items = 1; items < 100; ++items) {
    auto few = File::open(base::as_bytes(bytes), nullptr, {.items = items});
    if (!few) {
      EXPECT_EQ(few.error().id, "hdf5.limit");
      continue;
    }
    const auto root = few->find("");
    const auto links =
        root ? few->links(*root) : base::Result<std::vector<Link>>(std::unexpected(root.error()));
    if (links) break;
    EXPECT_EQ(links.error().id, "hdf5.limit");
    refused_later = true;
  }
  EXPECT_TRUE(refused_later);
  File shallow = open(bytes, {.depth = 2});
  EXPECT_EQ(shallow.find("a/b/c").error().id, "hdf5.limit");
}

// Each byte in turn: whatever comes out, it ends and says what is wrong.
TEST(Hdf5, DamageAnywhereEnds) {
  for (const std::string_view name : {"latest.h5", "chunked.h5"}) {
    const std::string whole = content(name);
    for (std::size_t at = 8; at < whole.size(); at += 5) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
      auto file = File::open(base::as_bytes(damaged), nullptr, {.items = 50'000, .decoded_bytes = 1 << 22});
      if (!file) continue;
      for (const std::string_view path : {"numbers", "texts", "a/b/c", "gzip"}) {
        const auto object = file->find(path);
        if (!object) continue;
        const auto value = file->read(*object, path);
        EXPECT_TRUE(value || !value.error().message.empty());
      }
    }
  }
}

}  // namespace
}  // namespace wherry::hdf5
