// Error ids of module pickle, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::pickle {

inline constexpr base::ErrorId kErrorIds[] = {
    {"pickle.not_pickle", "The file starts with bytes that no pickle or joblib file starts with."},
    {"pickle.truncated",
     "The pickle ends in the middle of an instruction or an array. It was not copied completely."},
    {"pickle.bad_opcode", "A byte where an instruction must stand is none of the 68 pickle opcodes."},
    {"pickle.bad_protocol", "The pickle says it has a protocol newer than 5."},
    {"pickle.bad_frame", "A FRAME is longer than the file, or joblib array data begins inside of one."},
    {"pickle.stack_underflow", "An instruction needs more values than there are on the pickle stack."},
    {"pickle.no_mark", "An instruction needs a MARK which was never set."},
    {"pickle.bad_operand", "An instruction was given a value of a type it does not work on."},
    {"pickle.bad_memo", "An instruction refers to a memo entry that was never stored."},
    {"pickle.bad_string", "A string is not valid in its encoding."},
    {"pickle.bad_number", "The text of a number is not a number."},
    {"pickle.bad_dtype", "The description of a numpy data type contradicts itself."},
    {"pickle.bad_array", "A numpy array has fewer or more bytes than its shape and data type ask for."},
    {"pickle.bad_sparse", "The parts of a scipy sparse matrix do not fit together."},
    {"pickle.unsupported_dtype", "The array has a numpy data type which wherry does not read."},
    {"pickle.out_of_band", "The pickle keeps buffers outside of the file (protocol 5 with buffer_callback)."},
    {"pickle.persistent_id",
     "The pickle refers to objects outside of itself (persistent_id), which only its own program can find."},
    {"pickle.extension_code",
     "The pickle names classes by number in copyreg's extension registry of one machine."},
    {"pickle.legacy_joblib",
     "The file was written by a joblib older than 0.10, which used a format of its own or several files."},
    {"pickle.bad_compression", "The compressed file is damaged or ends early."},
    {"pickle.unknown_limit", "There is no limit of that name."},
    {"pickle.bad_limit", "The value of a limit is not a number, or larger than the reader can keep."},
    {"pickle.limit_file", "The model file is larger than the limit for model files."},
    {"pickle.limit_decompressed", "The compressed file expands to more bytes than the limit."},
    {"pickle.limit_ratio", "The compressed file expands more than any real model does; it may be a bomb."},
    {"pickle.limit_stack", "More values wait on the pickle stack than the limit."},
    {"pickle.limit_depth", "Objects are nested in each other deeper than the limit."},
    {"pickle.limit_marks", "More MARKs are open than the limit."},
    {"pickle.limit_memo", "The pickle stores more memo entries than the limit."},
    {"pickle.limit_objects", "The pickle contains more objects than the limit."},
    {"pickle.limit_string", "One string or byte string is longer than the limit."},
    {"pickle.limit_big_int", "One integer has more digits than the limit."},
    {"pickle.limit_array", "An array has more elements or dimensions than the limit."},
    {"pickle.limit_nested", "Pickles are nested in each other deeper than the limit."},
    {"pickle.limit_imports", "The pickle names more different classes and functions than the limit."},
    {"pickle.limit_memory", "Reading the pickle would need more memory than the limit."},
    {"pickle.missing_attribute",
     "An object of the model lacks an attribute, key or field which it must have."},
    {"pickle.wrong_type", "A value in the model has another type than its place allows."},
    {"pickle.out_of_range", "A list or tuple in the model is shorter than expected."},
    {"pickle.lossy", "A number in the model does not fit the type in which it is needed."},
};

}  // namespace wherry::pickle
