#include "oci/elf.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace wherry::oci {
namespace {

using base::ByteReader;
using base::Bytes;
using base::cat;
using base::Result;

constexpr std::uint32_t kSegmentLoad = 1, kSegmentDynamic = 2, kSegmentInterpreter = 3;
constexpr std::int64_t kTagEnd = 0, kTagNeeded = 1, kTagStrings = 5, kTagRunPathOld = 15, kTagRunPath = 29;
constexpr std::size_t kMostSegments = 512;    // real programs have about a dozen
constexpr std::size_t kMostDynamic = 65'536;  // and about thirty of these
constexpr std::size_t kMostNeeded = 1024;
constexpr std::size_t kLongestString = 4096;  // PATH_MAX
constexpr std::size_t kProgramHeaderSize = 56;

struct Machine {
  std::uint16_t number;  // e_machine
  std::string_view architecture;
};
constexpr std::array kMachines{Machine{62, "amd64"}, Machine{183, "arm64"}};

struct Segment {
  std::uint32_t type;
  std::uint64_t offset, address, size;
};

std::unexpected<base::Error> invalid(std::string_view what, std::string_view why) {
  return base::fail(base::Code::kInvalidInput, "oci.elf_invalid", cat(what, ": ", why),
                    "give a program built for 64-bit Linux");
}

Result<Bytes> slice(Bytes file, std::uint64_t offset, std::uint64_t size, std::string_view what) {
  if (offset > file.size() || size > file.size() - offset)
    return invalid(what, "a part lies outside the file");
  return file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

Result<std::string> string_at(Bytes file, std::uint64_t offset, std::string_view what) {
  if (offset >= file.size()) return invalid(what, "a name lies outside the file");
  const std::string_view rest = base::as_text(file.subspan(static_cast<std::size_t>(offset)));
  const std::size_t end = rest.substr(0, kLongestString).find('\0');
  if (end == std::string_view::npos) return invalid(what, "a name has no end");
  return std::string(rest.substr(0, end));
}

struct Header {
  std::string architecture;
  std::vector<Segment> segments;
};

Result<Segment> read_segment(Bytes raw) {
  ByteReader reader(raw);
  Segment segment{};
  TRY_ASSIGN(segment.type, reader.little<std::uint32_t>());
  TRY(reader.take(4));  // flags
  TRY_ASSIGN(segment.offset, reader.little<std::uint64_t>());
  TRY_ASSIGN(segment.address, reader.little<std::uint64_t>());
  TRY(reader.take(8));  // physical address
  TRY_ASSIGN(segment.size, reader.little<std::uint64_t>());
  return segment;
}

Result<Header> read_header(Bytes file, std::string_view what) {
  constexpr std::string_view kMagic64Little =
      "\x7f"
      "ELF\x02\x01";
  if (file.size() < 64 || !base::as_text(file).starts_with(kMagic64Little))
    return invalid(what, "it is not a 64-bit little-endian ELF file");
  ByteReader reader(file.subspan(16));
  TRY(reader.take(2));  // type
  TRY_ASSIGN(const std::uint16_t machine, reader.little<std::uint16_t>());
  TRY(reader.take(12));  // version, entry
  TRY_ASSIGN(const std::uint64_t table, reader.little<std::uint64_t>());
  TRY(reader.take(14));  // sections, flags, header size
  TRY_ASSIGN(const std::uint16_t entry_size, reader.little<std::uint16_t>());
  TRY_ASSIGN(const std::uint16_t count, reader.little<std::uint16_t>());
  if (count > kMostSegments) return invalid(what, cat(count, " program headers"));
  if (count > 0 && entry_size < kProgramHeaderSize) return invalid(what, "program headers are too small");
  Header header;
  for (const Machine& known : kMachines)
    if (known.number == machine) header.architecture = known.architecture;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (table > file.size()) return invalid(what, "its program headers lie outside the file");
    TRY_ASSIGN(const Bytes raw, slice(file, table + i * entry_size, kProgramHeaderSize, what));
    TRY_ASSIGN(const Segment segment, read_segment(raw));
    header.segments.push_back(segment);
  }
  return header;
}

// File offset of a virtual address, by the loadable segment which holds it.
std::optional<std::uint64_t> offset_of(const std::vector<Segment>& segments, std::uint64_t address) {
  for (const Segment& segment : segments)
    if (segment.type == kSegmentLoad && address >= segment.address &&
        address - segment.address < segment.size)
      return segment.offset + (address - segment.address);
  return std::nullopt;
}

struct Dynamic {
  std::vector<std::uint64_t> needed;  // offsets into the string table
  std::optional<std::uint64_t> strings, run_path, run_path_old;
};

Result<Dynamic> read_dynamic(Bytes table, std::string_view what) {
  Dynamic dynamic;
  ByteReader reader(table);
  for (std::size_t i = 0; reader.remaining() >= 16; ++i) {
    if (i > kMostDynamic) return invalid(what, "its dynamic section is too long");
    TRY_ASSIGN(const std::int64_t tag, reader.little<std::int64_t>());
    TRY_ASSIGN(const std::uint64_t value, reader.little<std::uint64_t>());
    if (tag == kTagEnd) break;
    if (tag == kTagNeeded) dynamic.needed.push_back(value);
    if (tag == kTagStrings) dynamic.strings = value;
    if (tag == kTagRunPath) dynamic.run_path = value;
    if (tag == kTagRunPathOld) dynamic.run_path_old = value;
    if (dynamic.needed.size() > kMostNeeded) return invalid(what, "it needs more than 1024 libraries");
  }
  return dynamic;
}

base::Status add_dynamic(Bytes file, const Header& header, const Segment& segment, std::string_view what,
                         ElfFacts& facts) {
  TRY_ASSIGN(const Bytes table, slice(file, segment.offset, segment.size, what));
  TRY_ASSIGN(Dynamic dynamic, read_dynamic(table, what));
  if (!dynamic.run_path) dynamic.run_path = dynamic.run_path_old;
  if (dynamic.needed.empty() && !dynamic.run_path) return {};
  const auto strings = dynamic.strings ? offset_of(header.segments, *dynamic.strings) : std::nullopt;
  if (!strings || *strings > file.size()) return invalid(what, "its string table lies outside the file");
  const auto string = [&](std::uint64_t at) -> Result<std::string> {
    if (at > file.size() - *strings) return invalid(what, "a name lies outside the file");
    return string_at(file, *strings + at, what);
  };
  for (std::uint64_t at : dynamic.needed) {
    TRY_ASSIGN(std::string name, string(at));
    facts.needed.push_back(std::move(name));
  }
  if (dynamic.run_path) {
    TRY_ASSIGN(const std::string joined, string(*dynamic.run_path));
    for (std::string_view folder : base::split(joined, ':'))
      if (!folder.empty()) facts.run_path.emplace_back(folder);
  }
  return {};
}

}  // namespace

Result<ElfFacts> read_elf(Bytes file, std::string_view what) {
  TRY_ASSIGN(const Header header, read_header(file, what));
  ElfFacts facts;
  facts.architecture = header.architecture;
  for (const Segment& segment : header.segments) {
    if (segment.type == kSegmentInterpreter && facts.interpreter.empty()) {
      TRY_ASSIGN(const Bytes raw, slice(file, segment.offset, segment.size, what));
      const std::string_view text = base::as_text(raw);
      facts.interpreter = text.substr(0, text.find('\0'));
      if (facts.interpreter.size() > kLongestString)
        return invalid(what, "its interpreter's name is too long");
    }
    if (segment.type == kSegmentDynamic && facts.needed.empty())
      TRY(add_dynamic(file, header, segment, what, facts));
  }
  return facts;
}

}  // namespace wherry::oci
