// Error ids of module pipeline, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::pipeline {

inline constexpr base::ErrorId kErrorIds[] = {
    {"pipeline.unknown_system",
     "wherry writes pipelines for the CI systems which 'wherry ci init --list' names; this is none of them."},
    {"pipeline.unknown_cluster", "The kind of cluster is not one of eks, gke, aks, iks and kubeconfig."},
    {"pipeline.invalid_name",
     "A service or namespace name must be a DNS label: lower-case letters, digits and hyphens, beginning "
     "with "
     "a letter, at most 63 characters. Kubernetes names its objects after it."},
    {"pipeline.invalid_image",
     "The image must be given as REGISTRY/REPOSITORY in lower case, without tag and digest: the pipeline "
     "tags "
     "each image with the commit and deploys it by digest."},
    {"pipeline.invalid_model",
     "The model must be a path inside the repository, relative, without '..' and without characters which a "
     "CI system or a shell would interpret ($, quotes, backslash, backquote, control characters)."},
    {"pipeline.invalid_branch",
     "The branch name holds characters which a CI system would interpret as a pattern or an expression."},
    {"pipeline.invalid_pin",
     "A pinned action is written ACTION@SHA#VERSION: the full 40-digit commit, then the release it belongs "
     "to. A tag or branch can be moved to other code, a commit cannot."},
    {"pipeline.unsupported_combination",
     "This CI system cannot sign in to that registry or cluster the way wherry generates it. Use the "
     "registry "
     "or cluster of the same cloud, or '--cluster kubeconfig'."},
    {"pipeline.model_missing",
     "The model named for the pipeline does not exist in this folder. The pipeline verifies and builds the "
     "model of its repository, so the file must be there."},
    {"pipeline.file_differs",
     "A file the pipeline consists of is already there with other content, perhaps edited by hand. Nothing "
     "was "
     "written; '--force' replaces it."},
};

}  // namespace wherry::pipeline
