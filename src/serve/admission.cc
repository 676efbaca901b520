#include "serve/admission.h"

namespace wherry::serve {

namespace {

telemetry::Rejection rejection_of(auth::Reason reason) {
  switch (reason) {
    case auth::Reason::kForbidden:
      return telemetry::Rejection::kForbidden;
    case auth::Reason::kRateLimited:
      return telemetry::Rejection::kRateLimited;
    case auth::Reason::kUnauthenticated:
    case auth::Reason::kKeysMissing:
      break;
  }
  return telemetry::Rejection::kUnauthenticated;
}

}  // namespace

Admission::Admission(auth::Authority* authority, telemetry::ThreadMetrics& metrics) : metrics_(metrics) {
  if (authority != nullptr) gate_.emplace(*authority);
}

bool Admission::enter(const http::Request& request, http::Response& response) {
  if (!gate_) return true;
  auth::Credentials credentials{.authorization = request.header("Authorization"),
                                .api_key = request.header("X-API-Key")};
  if (request.peer != nullptr) {
    credentials.certificate = request.peer->subject;
    credentials.alternative = request.peer->names;
  }
  identity_ = gate_->enter(credentials, {std::chrono::system_clock::now(), std::chrono::steady_clock::now()});
  if (identity_ == nullptr) refuse(response);
  return identity_ != nullptr;
}

bool Admission::permit(auth::Permission permission, std::optional<std::string_view> model,
                       http::Response& response) {
  if (!gate_) return true;
  const bool may =
      model ? gate_->permits(*identity_, permission, *model) : gate_->permits(*identity_, permission);
  if (!may) refuse(response);
  return may;
}

void Admission::refuse(http::Response& response) {
  const auth::Refusal& refusal = gate_->refusal();
  metrics_.reject(rejection_of(refusal.reason));
  response.set_error(refusal.status, refusal.message);
  for (const auto& [name, value] : refusal.headers) response.add_header(name, value);
}

bool may_know_version(const Admission& admission) {
  return !admission.is_on() || (admission.identity() != nullptr && !admission.identity()->is_anyone());
}

}  // namespace wherry::serve
