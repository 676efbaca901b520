// Writes pickles of protocol 5 (Lib/pickletools.py), the opcodes skops files are put into. Private to module
// skops.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::skops {

class PickleWriter {
 public:
  PickleWriter() { out_ = "\x80\x05"; }

  void none() { out_ += 'N'; }
  void boolean(bool value) { out_ += value ? '\x88' : '\x89'; }
  void integer(std::int64_t value);
  void decimal(std::string_view digits);  // an int of any size
  void real(double value);
  void text(std::string_view value) { counted('\x8d', value); }
  void bytes(std::string_view value) { counted('\x8e', value); }
  void bytearray(std::string_view value) { counted('\x96', value); }
  void global(std::string_view module, std::string_view name);

  void mark() { out_ += '('; }
  void tuple() { out_ += 't'; }  // of everything since mark()
  void empty_tuple() { out_ += ')'; }
  void empty_list() { out_ += ']'; }
  void empty_dict() { out_ += '}'; }
  void empty_set() { out_ += '\x8f'; }
  void appends() { out_ += 'e'; }    // everything since mark() to the list below it
  void set_items() { out_ += 'u'; }  // key, value, key, … since mark() to the dict below it
  void add_items() { out_ += '\x90'; }
  void frozen_set() { out_ += '\x91'; }
  void reduce() { out_ += 'R'; }         // callable, tuple
  void new_object() { out_ += '\x81'; }  // class, tuple
  void build() { out_ += 'b'; }          // object, state

  void put(std::uint32_t index) { out_ += 'r', little(index, 4); }
  void get(std::uint32_t index) { out_ += 'j', little(index, 4); }

  std::size_t size() const { return out_.size(); }
  std::string finish() && {
    out_ += '.';
    return std::move(out_);
  }

 private:
  void little(std::uint64_t value, int bytes);
  void counted(char opcode, std::string_view value);

  std::string out_;
};

}  // namespace wherry::skops
