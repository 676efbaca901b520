#include <array>

#include "cli/cmd_build.h"
#include "cli/cmd_ci.h"
#include "cli/cmd_convert.h"
#include "cli/cmd_deploy.h"
#include "cli/cmd_dockerfile.h"
#include "cli/cmd_explain.h"
#include "cli/cmd_inspect.h"
#include "cli/cmd_predict.h"
#include "cli/cmd_push.h"
#include "cli/cmd_render.h"
#include "cli/cmd_serve.h"
#include "cli/cmd_status.h"
#include "cli/cmd_up.h"
#include "cli/cmd_verify.h"
#include "cli/cmd_version.h"
#include "cli/command.h"

namespace wherry::cli {
namespace {

constexpr std::string_view kModel = "look at a model";
constexpr std::string_view kRun = "run it here";
constexpr std::string_view kShip = "make an image";
constexpr std::string_view kCluster = "run it on Kubernetes";
constexpr std::string_view kAutomate = "automate";
constexpr std::string_view kOther = "more";

constexpr std::array kCommands{
    Command{"inspect", kModel, "what is in a model file and whether it can be served",
            "Framework and version, estimators, input columns, outputs, golden predictions, and every class "
            "and function the "
            "file names. Nothing in the file is executed. Exit status 1 when the model cannot be served.",
            "wherry inspect examples/fraud/model.joblib", define_inspect},
    Command{"predict", kModel, "predictions for rows from a file or standard input",
            "Rows are JSON - {\"columns\": […], \"rows\": [[…]]}, a list of objects or lists, a V2 request, "
            "MLflow's forms - or CSV "
            "with a header. NaN, Infinity and -Infinity are read and written as Python's json does.",
            "wherry predict examples/fraud/model.joblib --input examples/fraud/requests/one.json",
            define_predict},
    Command{"verify", kModel, "does a model give the answers its golden examples state",
            "Golden examples were recorded by the framework at training time (a proof), or by wherry itself "
            "at import (a guard against "
            "change); the report says which. Exit status 1 when one differs.",
            "wherry verify examples/fraud/model.joblib", define_verify},
    Command{"convert", kModel, "write a model as a bundle folder",
            "A bundle holds everything the server needs: program, weights, golden examples, provenance. "
            "stdout is its path.",
            "wherry convert examples/fraud/model.joblib -o fraud.bundle", define_convert},
    Command{"up", kRun, "from a model file to a running service with one command",
            "Imports the model, replays its golden predictions, makes the content of the image, serves on "
            "this machine, and prints "
            "a curl line that works and the address of a page to try it. Ctrl-C drains and ends.",
            "wherry up examples/fraud/model.joblib", define_up},
    Command{"serve", kRun, "serve a model on this machine", "As the image would; Ctrl-C drains and ends.",
            "wherry serve examples/fraud/model.joblib --port 9000", define_serve},
    Command{
        "build", kShip, "make the image of a model's service, and push it",
        "Needs no container engine. The model's golden predictions are replayed first; the same model, "
        "wherry "
        "and SOURCE_DATE_EPOCH give the same digest. stdout is the pinned reference of each image pushed, or "
        "the digest. Logins are those of docker and podman.",
        "wherry build examples/fraud/model.joblib -t registry.example.com/team/fraud:1 --push", define_build},
    Command{"push", kShip, "push an image which exists already",
            "From an OCI layout on disk, or from one repository or registry to another; the digest stays the "
            "same.",
            "wherry push registry.example.com/team/fraud:1 -t registry.example.com/prod/fraud:1",
            define_push},
    Command{"dockerfile", kShip, "a Dockerfile for the same image",
            "For those who must use docker build. With --context the folders which it copies are written as "
            "well.",
            "wherry dockerfile examples/fraud/model.joblib --context fraud-image", define_dockerfile},
    Command{
        "render", kCluster, "the Kubernetes objects of a service, as YAML",
        "Deployment, Service, ServiceAccount, PodDisruptionBudget and NetworkPolicy, fit for namespaces "
        "which enforce Pod Security \"restricted\". For kubectl, GitOps and review; 'wherry deploy' applies "
        "the same.",
        "wherry render fraud --image registry.example.com/team/fraud:1", define_render},
    Command{"deploy", kCluster, "apply a service to a Kubernetes cluster and wait until it serves",
            "Server-side apply as field manager 'wherry': fields of others are never taken silently. All is "
            "tried before anything is written. A rollout which fails is explained from its pods, and exit "
            "status is 3; the old version keeps serving. stdout says what became of each object.",
            "wherry deploy fraud --image registry.example.com/team/fraud:1 --namespace shop", define_deploy},
    Command{"status", kCluster, "how a deployed service is doing",
            "Image, rollout, pods, and what is wrong with those which do not serve. Exit status 1 while the "
            "newest version is not fully available.",
            "wherry status fraud --namespace shop", define_status},
    Command{"ci", kAutomate, "write the pipeline for a CI/CD system",
            "`wherry ci init SYSTEM` writes short, idiomatic files for GitHub Actions, GitLab, Jenkins, "
            "Travis CI or AWS CodePipeline: "
            "verify, build, push, deploy. No long-lived secret where the system can sign in by OIDC.",
            "wherry ci init github", define_ci},
    Command{"explain", kOther, "what an error id means", "The id stands in brackets behind each error.",
            "wherry explain program.invalid", define_explain},
    Command{"version", kOther, "the version of wherry", "", "wherry version", define_version},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace wherry::cli
