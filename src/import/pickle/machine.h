// The pickle virtual machine (CPython Lib/pickle.py, class _Unpickler), over bytes in memory. Internal to
// module pickle.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "import/pickle/heap.h"

namespace wherry::pickle {

// Which object a memo index means. Indices may come in any order; those far beyond what was stored so far
// live in a tree, so that one PUT of four thousand million costs nothing.
class Memo {
 public:
  Object* get(std::uint64_t index) const;  // null when never stored
  void put(std::uint64_t index, Object* object);
  std::uint64_t size() const { return size_; }  // distinct indices: what MEMOIZE stores next
  std::uint64_t bytes() const { return dense_.capacity() * sizeof(Object*) + sparse_.size() * 64; }

 private:
  std::vector<Object*> dense_;
  std::map<std::uint64_t, Object*> sparse_;
  std::uint64_t size_ = 0;
};

class Machine {
 public:
  // Reads one pickle of `stream` starting at `position`; `depth` is 0 for the file, 1 for a pickle in it.
  Machine(Heap& heap, base::Bytes stream, std::uint64_t position, std::uint64_t depth);

  base::Result<Object*> run();                            // to STOP
  std::uint64_t position() const { return position_; }    // after STOP
  std::uint64_t failed_at() const { return opcode_at_; }  // of the opcode that run() refused
  int protocol() const { return highest_protocol_; }
  bool has_joblib_arrays() const { return has_joblib_arrays_; }

 private:
  using Handler = base::Status (Machine::*)();
  struct Opcode {
    std::string_view name;
    Handler handler = nullptr;
  };
  static const std::vector<Opcode>& opcodes();  // by byte

  // --- input (machine.cc)
  std::uint64_t left() const { return stream_.size() - position_; }
  base::Result<std::string_view> take(std::uint64_t count);
  base::Result<std::uint64_t> little(int bytes);
  base::Result<std::string_view> line();                   // without its newline
  base::Result<std::string_view> sized(int length_bytes);  // length, then so many bytes
  std::unexpected<base::Error> error(base::Code code, std::string_view id, std::string what,
                                     std::string hint = {}) const;
  std::unexpected<base::Error> malformed(std::string_view id, std::string what) const;
  std::unexpected<base::Error> over_limit(std::string_view id, std::string what) const;
  base::Error located(base::Error error) const;

  // --- stack and memo (machine.cc)
  void push(Object* object) { stack_.push_back(object); }
  base::Result<Object*> pop();
  base::Result<Object*> top();
  base::Result<std::span<Object*>> top_items(std::size_t count);
  base::Result<std::span<Object* const>> since_mark();  // taken off, with the mark; valid until the next call
  void drop(std::size_t count) { stack_.resize(stack_.size() - count); }
  base::Status check_limits();
  base::Status remember(std::uint64_t index);
  base::Status recall(std::uint64_t index);
  base::Result<std::uint64_t> index_line();

  // --- opcodes, one per handler group
  base::Status op_proto();
  base::Status op_frame();
  base::Status op_stop();
  base::Status op_mark();
  base::Status op_pop();
  base::Status op_pop_mark();
  base::Status op_dup();
  base::Status op_get();
  base::Status op_binget();
  base::Status op_long_binget();
  base::Status op_put();
  base::Status op_binput();
  base::Status op_long_binput();
  base::Status op_memoize();
  base::Status op_refused_extension();
  base::Status op_refused_buffer();
  base::Status op_persid();
  base::Status op_binpersid();
  base::Status persistent_object(Object& id);
  base::Status admit_persistent_ids() const;

  // opcodes_values.cc
  base::Status op_none();
  base::Status op_newtrue();
  base::Status op_newfalse();
  base::Status op_int();
  base::Status op_binint();
  base::Status op_binint1();
  base::Status op_binint2();
  base::Status op_long();
  base::Status op_long1();
  base::Status op_long4();
  base::Status op_float();
  base::Status op_binfloat();
  base::Status op_string();
  base::Status op_binstring();
  base::Status op_short_binstring();
  base::Status op_binbytes();
  base::Status op_short_binbytes();
  base::Status op_binbytes8();
  base::Status op_bytearray8();
  base::Status op_unicode();
  base::Status op_short_binunicode();
  base::Status op_binunicode();
  base::Status op_binunicode8();
  base::Status push_long(base::Result<std::string_view> bytes);
  base::Status push_unicode(base::Result<std::string_view> text);
  base::Status push_string(std::string_view text, bool borrowed);

  // opcodes_containers.cc
  base::Status op_empty_list();
  base::Status op_append();
  base::Status op_appends();
  base::Status op_list();
  base::Status op_empty_tuple();
  base::Status op_tuple();
  base::Status op_tuple1();
  base::Status op_tuple2();
  base::Status op_tuple3();
  base::Status op_empty_dict();
  base::Status op_dict();
  base::Status op_setitem();
  base::Status op_setitems();
  base::Status op_empty_set();
  base::Status op_additems();
  base::Status op_frozenset();
  base::Status tuple_of(std::size_t count);
  base::Status set_entries(Object& target, std::span<Object* const> keys_and_values);

  // opcodes_calls.cc
  base::Status op_global();
  base::Status op_stack_global();
  base::Status op_reduce();
  base::Status op_newobj();
  base::Status op_newobj_ex();
  base::Status op_obj();
  base::Status op_inst();
  base::Status op_build();
  base::Result<Object*> find_global(std::string_view module, std::string_view name);
  base::Result<Object*> record(CallKind kind, Object& callee, std::span<const Object* const> args,
                               const Object* kwargs);
  base::Status read_joblib_array(const Call& wrapper);
  base::Status read_nested_pickle();

  Heap& heap_;
  std::string_view stream_;
  std::uint64_t position_;
  std::uint64_t depth_;
  std::uint64_t opcode_at_ = 0;
  std::uint64_t frame_end_ = 0;
  int protocol_ = 0;
  int highest_protocol_ = 0;
  bool stopped_ = false;
  bool has_joblib_arrays_ = false;
  std::vector<Object*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Object*> since_mark_;
  Memo memo_;
};

// Whether `text` is UTF-8, lone surrogates allowed (Python's "surrogatepass").
bool is_wtf8(std::string_view text);

}  // namespace wherry::pickle
