#include "import/zip/archive.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace wherry::zip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

struct File {
  std::string name;
  std::string stored;  // the bytes in the archive
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  int method = 0;
  int flags = 0;
};

File stored(std::string name, std::string content) {
  const auto crc = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  return {std::move(name), content, content.size(), crc};
}

File deflated(std::string name, const std::string& content) {
  File out = stored(std::move(name), content);
  std::string packed(compressBound(content.size()), '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  out.stored = packed;
  out.method = 8;
  return out;
}

void put_header(std::string& out, const File& file) {
  put(out, 20, 2), put(out, static_cast<std::uint64_t>(file.flags), 2);
  put(out, static_cast<std::uint64_t>(file.method), 2), put(out, 0, 4);
  put(out, file.crc, 4), put(out, file.stored.size(), 4), put(out, file.size, 4);
  put(out, file.name.size(), 2), put(out, 0, 2);
}

std::string archive(const std::vector<File>& files) {
  std::string out;
  std::string directory;
  for (const File& file : files) {
    put(directory, 0x02014b50, 4), put(directory, 20, 2);
    put_header(directory, file);
    put(directory, 0, 2 + 2 + 2 + 4), put(directory, out.size(), 4);
    directory += file.name;
    put(out, 0x04034b50, 4);
    put_header(out, file);
    out += file.name + file.stored;
  }
  const std::size_t start = out.size();
  out += directory;
  put(out, 0x06054b50, 4), put(out, 0, 4), put(out, files.size(), 2), put(out, files.size(), 2);
  put(out, directory.size(), 4), put(out, start, 4), put(out, 0, 2);
  return out;
}

base::Result<std::string> read(const std::string& bytes, std::string_view name, const Limits& limits = {}) {
  TRY_ASSIGN(Archive made, Archive::open(base::as_bytes(bytes), limits));
  return made.read(name);
}

std::string error_id(const base::Result<std::string>& result) {
  return result ? "" : result.error().id;
}

TEST(Archive, ReadsStoredAndDeflatedFiles) {
  const std::string bytes = archive({stored("b.txt", "hello"), deflated("a.txt", std::string(5'000, 'x'))});
  auto made = Archive::open(base::as_bytes(bytes));
  ASSERT_TRUE(made) << base::describe(made.error());
  EXPECT_THAT(made->names(), ElementsAre("a.txt", "b.txt"));
  EXPECT_TRUE(made->has("a.txt"));
  EXPECT_FALSE(made->has("c.txt"));
  EXPECT_EQ(made->read("b.txt").value_or(""), "hello");
  EXPECT_EQ(made->read("a.txt").value_or(""), std::string(5'000, 'x'));
  EXPECT_EQ(made->read("b.txt").value_or(""), "hello");
}

TEST(Archive, LendsStoredFilesOnly) {
  File broken = stored("c", "hello");
  broken.crc ^= 1;
  const std::string bytes = archive({stored("a", "hello"), deflated("b", "hello"), broken});
  auto made = Archive::open(base::as_bytes(bytes));
  ASSERT_TRUE(made) << base::describe(made.error());
  const auto lent = made->borrow("a");
  ASSERT_TRUE(lent && *lent);
  EXPECT_EQ(base::as_text(**lent), "hello");
  EXPECT_GE(base::as_text(**lent).data(), bytes.data());
  const auto packed = made->borrow("b");
  EXPECT_TRUE(packed && !*packed);
  EXPECT_FALSE(made->borrow("c"));
  EXPECT_FALSE(made->borrow("d"));
}

TEST(Archive, NamesAMissingFile) {
  EXPECT_EQ(error_id(read(archive({stored("a", "1")}), "b")), "zip.no_entry");
}

TEST(Archive, CutOffAnywhereIsAnError) {
  const std::string bytes = archive({stored("a", "hello"), deflated("b", std::string(300, 'y'))});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read(bytes.substr(0, size), "b")) << size;
}

TEST(Archive, AChecksumThatDoesNotFitIsAnError) {
  File file = stored("a", "hello");
  file.crc ^= 1;
  EXPECT_EQ(error_id(read(archive({file}), "a")), "zip.bad_archive");
}

TEST(Archive, ASizeThatDoesNotFitIsAnError) {
  File longer = deflated("a", std::string(100, 'x'));
  longer.size = 101;
  EXPECT_EQ(error_id(read(archive({longer}), "a")), "zip.bad_archive");
  File shorter = deflated("a", std::string(100, 'x'));
  shorter.size = 99;
  EXPECT_EQ(error_id(read(archive({shorter}), "a")), "zip.bad_archive");
}

TEST(Archive, ASizeThatCannotBeIsRefusedBeforeMemoryIsTaken) {
  File file = stored("a", "hello");
  file.size = 0xFFFFFFF0;
  EXPECT_EQ(error_id(read(archive({file}), "a")), "zip.bad_archive");
}

TEST(Archive, TwoFilesOfOneNameAreRefused) {
  EXPECT_EQ(error_id(read(archive({stored("a", "1"), stored("a", "2")}), "a")), "zip.bad_archive");
}

TEST(Archive, EncryptedAndOtherwiseCompressedFilesAreRefused) {
  File secret = stored("a", "hello");
  secret.flags = 1;
  EXPECT_EQ(error_id(read(archive({secret}), "a")), "zip.unsupported_entry");
  File odd = stored("a", "hello");
  odd.method = 14;
  EXPECT_EQ(error_id(read(archive({odd}), "a")), "zip.unsupported_entry");
}

TEST(Archive, ABombIsRefused) {
  const std::string bytes = archive({deflated("a", std::string(1 << 20, '\0'))});
  const Limits small{.decompressed_bytes = 1 << 19};
  EXPECT_EQ(error_id(read(bytes, "a", small)), "zip.limit_decompressed");
  const Limits dense{.decompressed_ratio = 10, .decompressed_free_bytes = 1'000};
  EXPECT_EQ(error_id(read(bytes, "a", dense)), "zip.limit_decompressed");
  EXPECT_TRUE(read(bytes, "a"));
}

TEST(Archive, WhatIsReadTwiceCountsTwice) {
  const std::string bytes = archive({stored("a", std::string(600, 'x'))});
  auto made = Archive::open(base::as_bytes(bytes), {.decompressed_bytes = 1'000});
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->read("a"));
  EXPECT_EQ(error_id(made->read("a")), "zip.limit_decompressed");
}

TEST(Archive, TooManyFilesAreRefused) {
  const auto made =
      Archive::open(base::as_bytes(archive({stored("a", ""), stored("b", "")})), {.entries = 1});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().id, "zip.limit_entries");
}

}  // namespace
}  // namespace wherry::zip
