#include "serve/service.h"

#include "serve/answers.h"

namespace wherry::serve {

Service::Service(unsigned threads, bool access_log, int log_file)
    : routes_(all_routes()), metrics_(threads, routes_), access_log_(access_log), log_file_(log_file) {}

}  // namespace wherry::serve
