#include "serve/change_model.h"

#include "repository/source.h"

#include "base/text.h"

namespace wherry::serve {

void change_model(Call& call, std::string name, bool load, ChangeAnswer answer) {
  if (!repository::is_model_name(name))
    return answer(name,
                  base::fail(base::Code::kNotFound, "serve.no_model",
                             base::cat("there is no model ", base::quoted(name), " in the repository"),
                             "the index of the repository says which there are"),
                  call.response);
  repository::Background* const background = call.service.background();
  if (background == nullptr && !call.service.loaded())
    return answer(name,
                  base::fail(base::Code::kUnavailable, "serve.not_ready",
                             "the models of the start are still being loaded", "ask again soon"),
                  call.response);
  if (background == nullptr || call.exchange == nullptr)
    return answer(name,
                  base::fail(base::Code::kUsage, "repository.not_explicit",
                             "models are not loaded and unloaded on request here",
                             "start the server with --model-control explicit"),
                  call.response);
  auto later = std::make_shared<http::Later>(call.later());
  const auto done = [later, answer, name](const base::Status& status) {
    http::Response response;
    answer(name, status, response);
    later->answer(std::move(response));
  };
  if (load)
    background->load(std::move(name), done);
  else
    background->unload(std::move(name), done);
}

std::unexpected<base::Error> refuse_load_parameter(std::string_view name) {
  return base::fail(
      base::Code::kInvalidInput, "serve.load_parameter",
      base::cat("parameter ", base::quoted(name),
                " is not taken: models and their settings come from the repository's folder only"),
      "put the model and its serving.json there");
}

}  // namespace wherry::serve
