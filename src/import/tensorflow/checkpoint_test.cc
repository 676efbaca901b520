#include "import/tensorflow/checkpoint.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "import/tensorflow/crc32c.h"
#include "import/tensorflow/sorted_table.h"
#include "import/tensorflow/tensor_proto.h"
#include "import/tensorflow/testing.h"

namespace wherry::tensorflow {
namespace {

using testing::bytes_of;
using testing::sorted_table;

// RFC 3720, B.4.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(0, base::as_bytes(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(crc32c(0, base::as_bytes(std::string(32, '\xff'))), 0x62a8ab43u);
  EXPECT_EQ(crc32c(0, base::as_bytes("123456789")), 0xe3069283u);
  const std::uint32_t head = crc32c(0, base::as_bytes("1234"));
  EXPECT_EQ(crc32c(head, base::as_bytes("56789")), 0xe3069283u);
}

TEST(SortedTable, KeysShareTheirBeginning) {
  const std::string file = sorted_table({{"", "head"}, {"abc", "1"}, {"abd", "22"}, {"b", ""}});
  const auto rows = read_sorted_table(file);
  ASSERT_TRUE(rows.has_value()) << base::describe(rows.error());
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[2].first, "abd");
  EXPECT_EQ((*rows)[2].second, "22");
}

TEST(SortedTable, EveryDamagedByteIsNoticedOrHarmless) {
  const std::string good = sorted_table({{"", "head"}, {"abc", "1"}, {"abd", "22"}});
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string file = good;
    file[i] = static_cast<char>(file[i] ^ 0x41);
    const auto rows = read_sorted_table(file);
    if (rows) {
      EXPECT_EQ(*rows, *read_sorted_table(good)) << i;  // the meta index and padding say nothing
    } else {
      EXPECT_FALSE(rows.error().message.empty());
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(read_sorted_table(std::string_view(good).substr(0, size)).has_value()) << size;
}

TEST(SortedTable, RefusesCompressionByName) {
  const std::string data = testing::table_block({{"a", "1"}});
  std::string file = testing::with_trailer(data, 1);
  const std::string index = testing::table_block({{"~", testing::handle(0, data.size())}});
  const std::size_t at = file.size();
  file += testing::with_trailer(index);
  std::string footer = testing::handle(at, 0) + testing::handle(at, index.size());
  footer.resize(40);
  file += footer + testing::little(0xdb4775248b80fb57u, 8);
  const auto rows = read_sorted_table(file);
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().id, "tensorflow.unsupported_checkpoint");
  EXPECT_NE(rows.error().message.find("Snappy"), std::string::npos);
}

TEST(SortedTable, RefusesKeysOutOfOrder) {
  EXPECT_FALSE(read_sorted_table(sorted_table({{"b", "1"}, {"a", "2"}})).has_value());
}

// A folder with two variables: four floats, and two strings.
struct Bundle {
  Bundle() {
    const std::string floats = bytes_of<float>({1, 2, 3, 4});
    const std::uint32_t lengths[] = {2, 3};
    std::uint32_t crc = crc32c(0, std::as_bytes(std::span(lengths)));
    const std::string lengths_crc = testing::little(masked(crc), 4);
    crc = crc32c(crc, base::as_bytes(lengths_crc));
    crc = crc32c(crc, base::as_bytes("abcde"));
    const std::string strings = std::string("\x02\x03") + lengths_crc + "abcde";
    data = floats + strings;
    rows = {{"", testing::bundle_header(1)},
            {"names", testing::bundle_entry(7, {2}, 16, strings.size(), masked(crc))},
            {"w", testing::bundle_entry(1, {2, 2}, 0, 16, masked(crc32c(0, base::as_bytes(floats))))}};
  }

  base::Result<Checkpoint> open() {
    const auto prefix = folder.path() / "variables";
    auto index = base::real_files().write(folder.path() / "variables.index", sorted_table(rows));
    auto shard = base::real_files().write(folder.path() / "variables.data-00000-of-00001", data);
    EXPECT_TRUE(index && shard);
    return Checkpoint::open(prefix);
  }

  base::TemporaryFolder folder = *base::TemporaryFolder::make();
  std::string data;
  std::vector<std::pair<std::string, std::string>> rows;
};

TEST(Checkpoint, ReadsNumbersAndStrings) {
  Bundle bundle;
  const auto checkpoint = bundle.open();
  ASSERT_TRUE(checkpoint.has_value()) << base::describe(checkpoint.error());
  const auto w = checkpoint->read("w");
  ASSERT_TRUE(w.has_value()) << base::describe(w.error());
  EXPECT_EQ(w->shape(), (tensor::Shape{2, 2}));
  EXPECT_EQ(w->as<float>()[3], 4.0f);
  const auto names = checkpoint->read("names");
  ASSERT_TRUE(names.has_value()) << base::describe(names.error());
  EXPECT_EQ(names->as_strings()[1], "cde");
  EXPECT_EQ(checkpoint->read("v").error().id, "tensorflow.missing_variable");
}

TEST(Checkpoint, DamageIsRefused) {
  for (std::size_t i = 0; i < Bundle().data.size(); ++i) {
    Bundle bundle;
    bundle.data[i] = static_cast<char>(bundle.data[i] ^ 1);
    const auto checkpoint = bundle.open();
    ASSERT_TRUE(checkpoint.has_value());
    const auto read = checkpoint->read(i < 16 ? "w" : "names");
    ASSERT_FALSE(read.has_value()) << i;
    EXPECT_EQ(read.error().id, "tensorflow.bad_checkpoint");
  }
}

TEST(Checkpoint, SizesAndPlacesAreChecked) {
  const std::uint32_t any = 7;
  for (const std::string& entry : {testing::bundle_entry(1, {2, 2}, 20, 16, any),
                                   testing::bundle_entry(1, {2, 2}, UINT64_MAX - 3, 16, any),
                                   testing::bundle_entry(1, {3, 2}, 0, 16, any),
                                   testing::bundle_entry(1, {1LL << 40, 1LL << 40}, 0, 16, any)}) {
    Bundle bundle;
    bundle.rows[2].second = entry;
    const auto checkpoint = bundle.open();
    ASSERT_TRUE(checkpoint.has_value());
    EXPECT_FALSE(checkpoint->read("w").has_value());
  }
  Bundle bundle;
  bundle.rows[0].second = testing::bundle_header(1, true);
  EXPECT_EQ(bundle.open().error().id, "tensorflow.unsupported_checkpoint");
  bundle.rows[0].second = testing::bundle_header(0);
  EXPECT_EQ(bundle.open().error().id, "tensorflow.bad_checkpoint");
}

TEST(TensorProto, ContentElementsAndFill) {
  const auto content = read_tensor(testing::tensor_proto(1, {2}, bytes_of<float>({1.5f, -2})), nullptr);
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->as<float>()[1], -2.0f);
  // int_val: 3, then 4 fills the rest.
  std::string filled = testing::tensor_proto(3, {2, 2}, "");
  protobuf::Writer writer(filled);
  writer.int64(7, 3);
  writer.int64(7, 4);
  const auto ints = read_tensor(filled, nullptr);
  ASSERT_TRUE(ints.has_value());
  EXPECT_EQ(std::vector(ints->as<std::int32_t>().begin(), ints->as<std::int32_t>().end()),
            (std::vector<std::int32_t>{3, 4, 4, 4}));
  const auto zeros = read_tensor(testing::tensor_proto(10, {3}, ""), nullptr);
  ASSERT_TRUE(zeros.has_value());
  EXPECT_EQ(zeros->as_bools()[2], 0);
  std::string texts = testing::tensor_proto(7, {2}, "");
  protobuf::Writer(texts).bytes(8, "x");
  const auto strings = read_tensor(texts, nullptr);
  ASSERT_TRUE(strings.has_value());
  EXPECT_EQ(strings->as_strings()[1], "x");
}

TEST(TensorProto, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(read_tensor(testing::tensor_proto(1, {2}, "abc"), nullptr).has_value());
  EXPECT_FALSE(read_tensor(testing::tensor_proto(1, {1}, bytes_of<float>({1, 2})), nullptr).has_value());
  EXPECT_EQ(read_tensor(testing::tensor_proto(1, {1LL << 40}, ""), nullptr).error().id,
            "tensorflow.too_large");
  EXPECT_EQ(read_tensor(testing::tensor_proto(8, {1}, ""), nullptr).error().id, "tensorflow.unsupported_use");
  EXPECT_FALSE(read_tensor(testing::tensor_proto(10, {1}, "\x07"), nullptr).has_value());
  std::string more = testing::tensor_proto(3, {1}, "");
  protobuf::Writer writer(more);
  writer.int64(7, 3);
  writer.int64(7, 4);
  EXPECT_FALSE(read_tensor(more, nullptr).has_value());
}

}  // namespace
}  // namespace wherry::tensorflow
