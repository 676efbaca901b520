// What the gRPC methods of this server share. A method with one message each way is a row of the table of
// addresses like any other; one with streams also has a function for the stream.
#pragma once

#include <string>
#include <string_view>

#include "rpc/call.h"
#include "rpc/health.h"

#include "serve/call.h"

namespace wherry::serve {

// The end of a call which an error means.
rpc::Status grpc_status(const base::Error& error);

// Turns what the server answered by itself (404, 401, 429, 503 …) into the end of a call, when it was one.
void end_call_with_http_status(const http::Request& request, http::Response& response);

// The only message of a unary call, decompressed. Valid as long as request and inflater.
rpc::Result<std::string_view> only_message(const http::Request& request, rpc::Inflater& inflater);

// Whether the caller may do this; where not, the response says so as HTTP. Rows whose model stands in the
// message call it, instead of the handler.
bool admitted(Call& call, Permission permission, std::optional<std::string_view> model);

// The same for methods which return a Status.
base::Status permitted(Call& call, Permission permission, std::optional<std::string_view> model);

// Whether it is a gRPC call at all; where not, the response says so.
bool is_call(Call& call);

// Ends a stream at once.
std::unique_ptr<http::StreamHandler> refuse_stream(http::Stream& stream, const http::Response& refusal);
std::unique_ptr<http::StreamHandler> refuse_stream(http::Stream& stream, const rpc::Status& status);

// A method which takes one message and gives one, which it appends to `out`.
using Method = base::Status (*)(Call& call, std::string_view message, std::string& out);
void answer_unary(Call& call, Method method);
template <Method kMethod>
void unary(Call& call) {
  answer_unary(call, kMethod);
}

// The message of an answer {"error": …}.
std::string error_text(const http::Response& response);

// Of the server ("") or of one of its services; nothing for a service which there is not.
std::optional<rpc::Health> health_of(Service& service, std::string_view name);
std::span<const std::string_view> health_services();

std::unique_ptr<http::StreamHandler> infer_stream(const StreamCall& call, http::Stream& stream);
std::unique_ptr<http::StreamHandler> health_watch(const StreamCall& call, http::Stream& stream);
std::unique_ptr<http::StreamHandler> reflection_stream(const StreamCall& call, http::Stream& stream);

// ModelInfer.
void model_infer(Call& call);

}  // namespace wherry::serve
