// Error ids of module protocol, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::protocol {

inline constexpr base::ErrorId kErrorIds[] = {
    {"protocol.bad_json",
     "The body of a request is not JSON as RFC 8259 defines it, at the line and column named. NaN and "
     "Infinity are "
     "not JSON; a missing value is null."},
    {"protocol.bad_utf8", "The body of a request is not UTF-8."},
    {"protocol.bad_form",
     "The body of a request is JSON, but not of a form this address takes; the message says which member is "
     "missing, doubled or of another type."},
    {"protocol.limit", "A request is nested deeper or has more cells than the configured limits allow."},
    {"protocol.bad_shape", "The shape of an input, its data and the model's columns do not agree."},
    {"protocol.bad_datatype",
     "The datatype of an input is unknown, cannot be written in JSON, or is not what that column of the "
     "model takes."},
    {"protocol.bad_binary",
     "The binary part of a request and what its JSON or its header Inference-Header-Content-Length says "
     "about "
     "it do not agree in size, or its bytes are not elements of the datatype announced."},
    {"protocol.bad_parameter",
     "A parameter of a request is reserved, asks for what this server does not do (sequences, shared "
     "memory), "
     "or has a value of another kind than it needs."},
    {"protocol.missing_column", "A request lacks a column or input which the model needs."},
    {"protocol.unknown_column", "A request has a column or input which the model does not have."},
    {"protocol.duplicate", "A request names a column, input, output or member twice."},
    {"protocol.wrong_type",
     "A cell is text where the model takes a number, or the other way round. Nothing is converted silently: "
     "a number "
     "written as text would otherwise change the prediction without anyone noticing."},
    {"protocol.number_range",
     "A number does not fit the datatype announced for it, or the range of a double."},
    {"protocol.row_width", "A row has more or fewer values than there are columns."},
    {"protocol.unknown_output", "A request asks for an output which the model does not have."},
    {"protocol.bad_base64", "A {\"b64\": …} value of a V1 request is not base64."},
    {"protocol.unknown_signature",
     "A V1 request names a signature_name which is neither \"serving_default\" nor one of the model's "
     "outputs."},
    {"protocol.no_classes",
     "The :classify address was asked of a model which does not answer probabilities of classes."},
    {"protocol.no_regression",
     "The :regress address was asked of a model which does not answer one number per row."},
    {"protocol.bad_event", "A CloudEvent lacks a required attribute, or its data."},
    {"protocol.bad_csv", "A CSV body breaks the rules of RFC 4180 at the line named."},
    {"protocol.bad_npy",
     "A file is not an array as numpy.save writes it, is cut off, or holds what no tensor of a model is: "
     "objects, "
     "records, big-endian numbers, columns first."},
    {"protocol.bad_golden", "A file of golden examples is not in the documented form, at the line named."},
};

}  // namespace wherry::protocol
