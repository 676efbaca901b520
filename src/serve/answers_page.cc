// The pages for people: "/" to try a model, "/docs" made from the OpenAPI document.
#include "base/text.h"
#include "serve/answers.h"
#include "serve/call.h"
#include "serve/described.h"
#include "serve/page.h"

namespace wherry::serve {

namespace {

Document page_document(Page page) {
  return make_document(
      "text/html; charset=utf-8", std::move(page.html),
      {{"Content-Security-Policy", std::move(page.policy)}, {"Referrer-Policy", "no-referrer"}});
}

// The value of a query's parameter; "" without it.
std::string query_value(std::string_view query, std::string_view name) {
  for (const std::string_view part : base::split(query, '&')) {
    const std::size_t equals = part.find('=');
    if (equals == part.npos || part.substr(0, equals) != name) continue;
    return http::percent_decode(part.substr(equals + 1)).value_or("");
  }
  return "";
}

// Of the model named in the query, else of the first.
void page_json(Call& call) {
  const Described described(call.models);
  if (described.models().empty()) {
    only_model(call);  // says why
    return;
  }
  const std::string name = query_value(call.request.query, "model");
  const protocol::ApiModel* model = described.find(name);
  if (model == nullptr)
    return call.response.set_error(404, base::cat("there is no model ", base::quoted(name), " here"));
  if (!call.thread.admission.permit(Permission::kMetadata, model->name, call.response)) return;
  const auto made =
      call.service.documents().get(generation(call.models), base::cat("page of ", model->name), [&] {
        return make_document("application/json", text::write_json(page_data(*model, described.models(),
                                                                            call.service.shown_version())));
      });
  answer_document(*made, call.request, call.response);
}

// The same for every model: what it shows is asked for by the page itself, with a key where one is needed.
void page(Call& call) {
  const auto made = call.service.documents().get(generation(call.models), "page",
                                                 [] { return page_document(make_page()); });
  answer_document(*made, call.request, call.response);
}

void docs(Call& call) {
  const auto made = call.service.documents().get(generation(call.models), "docs",
                                                 [] { return page_document(make_docs_page()); });
  answer_document(*made, call.request, call.response);
}

constexpr RouteRow kRows[] = {
    {"page", "/", "GET", Permission::kNothing, page},
    {"page_data", "/page.json", "GET", Permission::kMetadata, page_json},
    {"docs", "/docs", "GET", Permission::kNothing, docs},
};

}  // namespace

void answer_page(Call& call) {
  page(call);
}

std::span<const RouteRow> page_rows() {
  return kRows;
}

}  // namespace wherry::serve
