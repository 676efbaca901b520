#include "import/pickle/machine.h"

#include <array>
#include <cstring>

#include "base/text.h"

namespace wherry::pickle {

namespace {
constexpr std::string_view kDamaged = "the file is damaged or was not written by Python's pickle or joblib";
constexpr int kNewestProtocol = 5;
constexpr std::uint64_t kDenseReserve = 1024;  // memo indices this far past the last one stay in the table
}  // namespace

Object* Memo::get(std::uint64_t index) const {
  if (index < dense_.size() && dense_[index] != nullptr) return dense_[index];
  if (sparse_.empty()) return nullptr;
  const auto found = sparse_.find(index);
  return found != sparse_.end() ? found->second : nullptr;
}

void Memo::put(std::uint64_t index, Object* object) {
  if (index < dense_.size() + kDenseReserve) {
    if (index >= dense_.size()) dense_.resize(index + 1);
    if (dense_[index] == nullptr && sparse_.erase(index) == 0) ++size_;
    dense_[index] = object;
  } else if (sparse_.insert_or_assign(index, object).second) {
    ++size_;
  }
}

Machine::Machine(Heap& heap, base::Bytes stream, std::uint64_t position, std::uint64_t depth)
    : heap_(heap), stream_(base::as_text(stream)), position_(position), depth_(depth) {}

const std::vector<Machine::Opcode>& Machine::opcodes() {
  static const std::vector<Opcode> kTable = [] {
    std::vector<Opcode> table(256);
    const auto add = [&](int code, std::string_view name, Handler handler) {
      table[static_cast<std::size_t>(code)] = {name, handler};
    };
    add('I', "INT", &Machine::op_int);
    add('J', "BININT", &Machine::op_binint);
    add('K', "BININT1", &Machine::op_binint1);
    add('M', "BININT2", &Machine::op_binint2);
    add('L', "LONG", &Machine::op_long);
    add(0x8a, "LONG1", &Machine::op_long1);
    add(0x8b, "LONG4", &Machine::op_long4);
    add('S', "STRING", &Machine::op_string);
    add('T', "BINSTRING", &Machine::op_binstring);
    add('U', "SHORT_BINSTRING", &Machine::op_short_binstring);
    add('B', "BINBYTES", &Machine::op_binbytes);
    add('C', "SHORT_BINBYTES", &Machine::op_short_binbytes);
    add(0x8e, "BINBYTES8", &Machine::op_binbytes8);
    add(0x96, "BYTEARRAY8", &Machine::op_bytearray8);
    add(0x97, "NEXT_BUFFER", &Machine::op_refused_buffer);
    add(0x98, "READONLY_BUFFER", &Machine::op_refused_buffer);
    add('N', "NONE", &Machine::op_none);
    add(0x88, "NEWTRUE", &Machine::op_newtrue);
    add(0x89, "NEWFALSE", &Machine::op_newfalse);
    add('V', "UNICODE", &Machine::op_unicode);
    add(0x8c, "SHORT_BINUNICODE", &Machine::op_short_binunicode);
    add('X', "BINUNICODE", &Machine::op_binunicode);
    add(0x8d, "BINUNICODE8", &Machine::op_binunicode8);
    add('F', "FLOAT", &Machine::op_float);
    add('G', "BINFLOAT", &Machine::op_binfloat);
    add(']', "EMPTY_LIST", &Machine::op_empty_list);
    add('a', "APPEND", &Machine::op_append);
    add('e', "APPENDS", &Machine::op_appends);
    add('l', "LIST", &Machine::op_list);
    add(')', "EMPTY_TUPLE", &Machine::op_empty_tuple);
    add('t', "TUPLE", &Machine::op_tuple);
    add(0x85, "TUPLE1", &Machine::op_tuple1);
    add(0x86, "TUPLE2", &Machine::op_tuple2);
    add(0x87, "TUPLE3", &Machine::op_tuple3);
    add('}', "EMPTY_DICT", &Machine::op_empty_dict);
    add('d', "DICT", &Machine::op_dict);
    add('s', "SETITEM", &Machine::op_setitem);
    add('u', "SETITEMS", &Machine::op_setitems);
    add(0x8f, "EMPTY_SET", &Machine::op_empty_set);
    add(0x90, "ADDITEMS", &Machine::op_additems);
    add(0x91, "FROZENSET", &Machine::op_frozenset);
    add('0', "POP", &Machine::op_pop);
    add('2', "DUP", &Machine::op_dup);
    add('(', "MARK", &Machine::op_mark);
    add('1', "POP_MARK", &Machine::op_pop_mark);
    add('g', "GET", &Machine::op_get);
    add('h', "BINGET", &Machine::op_binget);
    add('j', "LONG_BINGET", &Machine::op_long_binget);
    add('p', "PUT", &Machine::op_put);
    add('q', "BINPUT", &Machine::op_binput);
    add('r', "LONG_BINPUT", &Machine::op_long_binput);
    add(0x94, "MEMOIZE", &Machine::op_memoize);
    add(0x82, "EXT1", &Machine::op_refused_extension);
    add(0x83, "EXT2", &Machine::op_refused_extension);
    add(0x84, "EXT4", &Machine::op_refused_extension);
    add('c', "GLOBAL", &Machine::op_global);
    add(0x93, "STACK_GLOBAL", &Machine::op_stack_global);
    add('R', "REDUCE", &Machine::op_reduce);
    add('b', "BUILD", &Machine::op_build);
    add('i', "INST", &Machine::op_inst);
    add('o', "OBJ", &Machine::op_obj);
    add(0x81, "NEWOBJ", &Machine::op_newobj);
    add(0x92, "NEWOBJ_EX", &Machine::op_newobj_ex);
    add(0x80, "PROTO", &Machine::op_proto);
    add('.', "STOP", &Machine::op_stop);
    add(0x95, "FRAME", &Machine::op_frame);
    add('P', "PERSID", &Machine::op_persid);
    add('Q', "BINPERSID", &Machine::op_binpersid);
    return table;
  }();
  return kTable;
}

base::Result<Object*> Machine::run() {
  const std::vector<Opcode>& table = opcodes();
  while (!stopped_) {
    opcode_at_ = position_;
    if (position_ >= stream_.size())
      return base::fail(base::Code::kInvalidInput, "pickle.truncated",
                        base::cat("the pickle ends at offset ", position_, " without STOP"),
                        "copy the file again, completely");
    const auto code = static_cast<unsigned char>(stream_[position_++]);
    const Opcode& opcode = table[code];
    if (opcode.handler == nullptr)
      return base::fail(
          base::Code::kInvalidInput, "pickle.bad_opcode",
          base::cat("byte ", static_cast<int>(code), " at offset ", opcode_at_, " is no pickle opcode"),
          std::string(kDamaged));
    TRY((this->*opcode.handler)());
    TRY(check_limits());
  }
  return pop();
}

base::Status Machine::check_limits() {
  const Limits& limits = heap_.limits();
  if (stack_.size() > limits.stack_depth)
    return over_limit("pickle.limit_stack",
                      base::cat("more than ", limits.stack_depth, " values on the stack"));
  if (marks_.size() > limits.mark_depth)
    return over_limit("pickle.limit_marks", base::cat("more than ", limits.mark_depth, " open MARKs"));
  if (memo_.size() > limits.memo_entries)
    return over_limit("pickle.limit_memo", base::cat("more than ", limits.memo_entries, " memo entries"));
  if (heap_.over_objects())
    return over_limit("pickle.limit_objects", base::cat("more than ", limits.objects, " objects"));
  if (heap_.imports().size() > limits.imports)
    return over_limit("pickle.limit_imports", base::cat("more than ", limits.imports, " different globals"));
  if (heap_.over_memory())
    return over_limit("pickle.limit_memory",
                      base::cat("reading needs more than ", base::human_size(heap_.memory_limit())));
  return {};
}

// --- errors ----------------------------------------------------------------------------------------------

std::unexpected<base::Error> Machine::error(base::Code code, std::string_view id, std::string what,
                                            std::string hint) const {
  const auto byte = static_cast<unsigned char>(stream_[opcode_at_]);
  return base::fail(code, id, base::cat(opcodes()[byte].name, " at offset ", opcode_at_, ": ", what),
                    std::move(hint));
}

std::unexpected<base::Error> Machine::malformed(std::string_view id, std::string what) const {
  return error(base::Code::kInvalidInput, id, std::move(what), std::string(kDamaged));
}

std::unexpected<base::Error> Machine::over_limit(std::string_view id, std::string what) const {
  return error(base::Code::kLimit, id, std::move(what),
               "if the file is trusted and really this large, raise the limit named by the error id");
}

base::Error Machine::located(base::Error inner) const {
  const auto byte = static_cast<unsigned char>(stream_[opcode_at_]);
  inner.message = base::cat(opcodes()[byte].name, " at offset ", opcode_at_, ": ", inner.message);
  if (inner.hint.empty()) inner.hint = kDamaged;
  return inner;
}

// --- input -----------------------------------------------------------------------------------------------

base::Result<std::string_view> Machine::take(std::uint64_t count) {
  if (count > left())
    return error(base::Code::kInvalidInput, "pickle.truncated",
                 base::cat("needs ", count, " bytes, ", left(), " are left"),
                 "copy the file again, completely");
  const std::string_view taken = stream_.substr(position_, count);
  position_ += count;
  return taken;
}

base::Result<std::uint64_t> Machine::little(int bytes) {
  TRY_ASSIGN(const std::string_view raw, take(static_cast<std::uint64_t>(bytes)));
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), raw.size());
  return value;
}

base::Result<std::string_view> Machine::line() {
  const std::size_t end = stream_.find('\n', position_);
  if (end == std::string_view::npos)
    return error(base::Code::kInvalidInput, "pickle.truncated", "its line has no end",
                 "copy the file again, completely");
  const std::string_view text = stream_.substr(position_, end - position_);
  position_ = end + 1;
  if (text.size() > heap_.limits().string_bytes)
    return over_limit("pickle.limit_string", base::cat("a text of ", text.size(), " bytes"));
  return text;
}

base::Result<std::string_view> Machine::sized(int length_bytes) {
  TRY_ASSIGN(const std::uint64_t size, little(length_bytes));
  TRY_ASSIGN(const std::string_view text, take(size));
  if (size > heap_.limits().string_bytes)
    return over_limit("pickle.limit_string", base::cat("a value of ", size, " bytes"));
  return text;
}

// --- stack and memo --------------------------------------------------------------------------------------

base::Result<std::span<Object*>> Machine::top_items(std::size_t count) {
  const std::size_t fence = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - fence < count)
    return malformed("pickle.stack_underflow",
                     base::cat("needs ", count, " values, ", stack_.size() - fence, " are on the stack"));
  return std::span(stack_).last(count);
}

base::Result<Object*> Machine::top() {
  TRY_ASSIGN(const std::span<Object*> last, top_items(1));
  return last[0];
}

base::Result<Object*> Machine::pop() {
  TRY_ASSIGN(Object* const object, top());
  stack_.pop_back();
  return object;
}

base::Result<std::span<Object* const>> Machine::since_mark() {
  if (marks_.empty()) return malformed("pickle.no_mark", "no MARK is open");
  const std::size_t from = marks_.back();
  marks_.pop_back();
  since_mark_.assign(stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
  stack_.resize(from);
  return since_mark_;
}

base::Status Machine::remember(std::uint64_t index) {
  TRY_ASSIGN(Object* const object, top());
  const std::uint64_t before = memo_.bytes();
  memo_.put(index, object);
  heap_.charge(memo_.bytes() - before);
  return {};
}

base::Status Machine::recall(std::uint64_t index) {
  Object* const object = memo_.get(index);
  if (object == nullptr)
    return malformed("pickle.bad_memo", base::cat("memo entry ", index, " was never stored"));
  push(object);
  return {};
}

base::Result<std::uint64_t> Machine::index_line() {
  TRY_ASSIGN(const std::string_view text, line());
  const auto index = base::parse_unsigned(base::trim(text));
  if (!index) return malformed("pickle.bad_number", base::cat(base::quoted(text, 40), " is no memo index"));
  return *index;
}

// --- control opcodes -------------------------------------------------------------------------------------

base::Status Machine::op_proto() {
  TRY_ASSIGN(const std::uint64_t protocol, little(1));
  if (protocol > kNewestProtocol)
    return error(base::Code::kUnsupported, "pickle.bad_protocol",
                 base::cat("protocol ", protocol, "; the newest there is is ", kNewestProtocol),
                 std::string(kDamaged));
  protocol_ = static_cast<int>(protocol);
  highest_protocol_ = std::max(highest_protocol_, protocol_);
  return {};
}

// As CPython's C reader, a frame is only checked to be there; its end may fall anywhere.
base::Status Machine::op_frame() {
  TRY_ASSIGN(const std::uint64_t size, little(8));
  if (size > left())
    return error(base::Code::kInvalidInput, "pickle.bad_frame",
                 base::cat("a frame of ", size, " bytes, ", left(), " are left"),
                 "copy the file again, completely");
  frame_end_ = position_ + size;
  return {};
}

base::Status Machine::op_stop() {
  TRY(top());
  stopped_ = true;
  return {};
}

base::Status Machine::op_mark() {
  marks_.push_back(stack_.size());
  return {};
}

base::Status Machine::op_pop() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
    return {};
  }
  TRY(pop());
  return {};
}

base::Status Machine::op_pop_mark() {
  TRY(since_mark());
  return {};
}

base::Status Machine::op_dup() {
  TRY_ASSIGN(Object* const object, top());
  push(object);
  return {};
}

base::Status Machine::op_get() {
  TRY_ASSIGN(const std::uint64_t index, index_line());
  return recall(index);
}

base::Status Machine::op_binget() {
  TRY_ASSIGN(const std::uint64_t index, little(1));
  return recall(index);
}

base::Status Machine::op_long_binget() {
  TRY_ASSIGN(const std::uint64_t index, little(4));
  return recall(index);
}

base::Status Machine::op_put() {
  TRY_ASSIGN(const std::uint64_t index, index_line());
  return remember(index);
}

base::Status Machine::op_binput() {
  TRY_ASSIGN(const std::uint64_t index, little(1));
  return remember(index);
}

base::Status Machine::op_long_binput() {
  TRY_ASSIGN(const std::uint64_t index, little(4));
  return remember(index);
}

base::Status Machine::op_memoize() {
  return remember(memo_.size());
}

// --- opcodes that lead out of the file -------------------------------------------------------------------

base::Status Machine::op_refused_extension() {
  return error(base::Code::kUnsupported, "pickle.extension_code",
               "a class is named by its number in copyreg's registry, which is not in the file",
               "save the model in a process that does not call copyreg.add_extension");
}

base::Status Machine::op_refused_buffer() {
  return error(base::Code::kUnsupported, "pickle.out_of_band", "array data is kept outside of the file",
               "save the model with pickle.dump without buffer_callback, or with joblib.dump");
}

base::Status Machine::admit_persistent_ids() const {
  if (heap_.limits().persistent_ids) return {};
  return error(base::Code::kUnsupported, "pickle.persistent_id", "an object is kept outside of the file",
               "save the model with joblib.dump or plain pickle.dump; a PyTorch file is exported with "
               "torch.export or ONNX");
}

base::Status Machine::persistent_object(Object& id) {
  Call call;
  call.kind = CallKind::kPersistent;
  call.callee = heap_.none();
  call.args = heap_.keep(std::array<const Object*, 1>{&id});
  push(heap_.call(std::move(call), opcode_at_));
  return {};
}

base::Status Machine::op_persid() {
  TRY(admit_persistent_ids());
  TRY_ASSIGN(const std::string_view id, line());
  if (!is_wtf8(id)) return malformed("pickle.bad_string", "the id is not UTF-8");
  return persistent_object(*heap_.text(Kind::kStr, id, opcode_at_));
}

base::Status Machine::op_binpersid() {
  TRY(admit_persistent_ids());
  TRY_ASSIGN(Object* const id, pop());
  return persistent_object(*id);
}

}  // namespace wherry::pickle
