#include "serve/change_model.h"

#include "repository/source.h"

#include "base/text.h"

namespace wherry::serve {

void change_model(Call& call, std::string name, bool load, ChangeAnswer answer) {
  if (!repository::is_model_name(name))
    return answer(base::fail(base::Code::kNotFound, "serve.no_model",
                             base::cat("there is no model ", base::quoted(name), " in the repository"),
                             "the index of the repository says which there are"),
                  call.response);
  repository::Background* const background = call.service.background();
  if (background == nullptr || call.exchange == nullptr)
    return answer(base::fail(base::Code::kUsage, "repository.not_explicit",
                             "models are not loaded and unloaded on request here",
                             "start the server with --model-control explicit"),
                  call.response);
  auto later = std::make_shared<http::Later>(call.later());
  const auto done = [later, answer](const base::Status& status) {
    http::Response response;
    answer(status, response);
    later->answer(std::move(response));
  };
  if (load)
    background->load(std::move(name), done);
  else
    background->unload(std::move(name), done);
}

}  // namespace wherry::serve
