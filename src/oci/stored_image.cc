#include "oci/stored_image.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/layer.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Code;
using base::Result;

constexpr std::uint64_t kLargestManifest = 4 << 20;
constexpr int kDeepestIndex = 3;  // an index of indexes is allowed, and used by nobody beyond one level
constexpr std::size_t kMostManifests = 256;
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";

// Where manifests come from, and where blobs are.
struct Source {
  std::function<Result<std::string>(const Descriptor&)> manifest;
  std::function<BlobContent(const Descriptor&)> blob;
  std::string_view what;
  std::size_t manifests_left = kMostManifests;
};

std::unexpected<base::Error> too_deep(std::string_view what) {
  return base::fail(Code::kLimit, "oci.document_limit",
                    cat(what, ": indexes are nested too deep or name too much"), "push each image by itself");
}

Result<StoredImage> expand(Source& source, Descriptor descriptor, std::string document, int depth) {
  StoredImage image;
  if (is_index_type(descriptor.media_type)) {
    if (depth >= kDeepestIndex) return too_deep(source.what);
    TRY_ASSIGN(const Index index, parse_index(document, source.what));
    for (const Descriptor& entry : index.manifests) {
      if (source.manifests_left-- == 0) return too_deep(source.what);
      TRY_ASSIGN(std::string child_document, source.manifest(entry));
      TRY_ASSIGN(StoredImage child, expand(source, entry, std::move(child_document), depth + 1));
      image.children.push_back(std::move(child));
    }
  } else {
    TRY_ASSIGN(const Manifest manifest, parse_manifest(document, source.what));
    for (const Descriptor& layer : manifest.layers) image.blobs.push_back(source.blob(layer));
    image.blobs.push_back(source.blob(manifest.config));
  }
  image.descriptor = std::move(descriptor);
  image.document = std::move(document);
  return image;
}

Result<Descriptor> choose_tag(const Index& index, const fs::path& folder, std::string_view tag) {
  std::string tags;
  for (const Descriptor& entry : index.manifests) {
    const std::string* name = find_annotation(entry.annotations, kRefName);
    if (tag.empty() ? index.manifests.size() == 1 : name != nullptr && *name == tag) return entry;
    if (name != nullptr && tags.size() < 400) tags += cat(tags.empty() ? "" : ", ", *name);
  }
  return base::fail(
      Code::kUsage, "oci.manifest_missing",
      tag.empty() ? cat(folder.string(), ": it holds ", index.manifests.size(), " images")
                  : cat(folder.string(), ": it holds no image ", base::quoted(tag)),
      cat("name one of its tags: oci:", folder.string(), ":TAG, where TAG is of: ", base::quoted(tags, 400)));
}

base::Status push_parts(RegistrySession& session, const StoredImage& image, const std::string& repository,
                        const std::string& name, const PushOptions& options, PushResult& result) {
  for (const StoredImage& child : image.children)
    TRY(push_parts(session, child, repository, child.descriptor.digest, options, result));
  for (const BlobContent& blob : image.blobs) {
    TRY_ASSIGN(PushedBlob pushed, push_blob(session, repository, blob, options));
    result.blobs.push_back(std::move(pushed));
  }
  TRY_ASSIGN(result.digest,
             put_manifest(session, repository, name, image.descriptor.media_type, image.document));
  return {};
}

}  // namespace

Result<StoredImage> read_layout(const fs::path& folder, std::string_view tag) {
  base::FileSystem& files = base::real_files();
  if (!files.exists(folder / "oci-layout") || !files.exists(folder / "index.json"))
    return base::fail(Code::kUsage, "oci.layout_invalid", cat(folder.string(), ": it is not an OCI layout"),
                      "name a folder written by wherry build --output oci:DIR or skopeo copy … oci:DIR");
  TRY_ASSIGN(const std::string document, files.read(folder / "index.json", kLargestManifest));
  TRY_ASSIGN(const Index index, parse_index(document, (folder / "index.json").string()));
  TRY_ASSIGN(Descriptor chosen, choose_tag(index, folder, tag));
  const std::string what = folder.string();
  Source source{
      .manifest = [&](const Descriptor& wanted) -> Result<std::string> {
        TRY_ASSIGN(std::string content, files.read(blob_path(folder, wanted.digest), kLargestManifest));
        if (base::sha256_digest(content) == wanted.digest) return content;
        return base::fail(Code::kInvalidInput, "oci.digest_mismatch",
                          cat(blob_path(folder, wanted.digest).string(), ": its content has another digest"),
                          "write the layout again");
      },
      .blob =
          [&](const Descriptor& blob) {
            return BlobContent{.descriptor = blob, .text = {}, .file = blob_path(folder, blob.digest)};
          },
      .what = what};
  TRY_ASSIGN(std::string manifest, source.manifest(chosen));
  chosen.annotations.clear();  // they name the tag in this layout only
  return expand(source, std::move(chosen), std::move(manifest), 0);
}

Result<StoredImage> read_remote(RegistrySession& session, const Reference& reference, const fs::path& store) {
  const std::string what = to_string(reference);
  const std::string repository = reference.repository;
  Source source{
      .manifest = [&](const Descriptor& wanted) -> Result<std::string> {
        Reference one = reference;
        one.digest = wanted.digest;
        TRY_ASSIGN(FetchedManifest fetched, fetch_manifest(session, one));
        return std::move(fetched.document);
      },
      .blob =
          [&](const Descriptor& blob) {
            return BlobContent{
                .descriptor = blob, .text = {}, .file = {}, .fetch = [&session, repository, blob, store] {
                  return fetch_blob_to(session, repository, blob, store);
                }};
          },
      .what = what};
  TRY_ASSIGN(FetchedManifest top, fetch_manifest(session, reference));
  Descriptor descriptor{.media_type = top.media_type, .digest = top.digest, .size = top.document.size()};
  return expand(source, std::move(descriptor), std::move(top.document), 0);
}

Result<PushResult> push_stored(RegistrySession& session, const StoredImage& image, const Reference& reference,
                               const PushOptions& options) {
  if (!reference.digest.empty() && reference.digest != image.descriptor.digest)
    return base::fail(Code::kUsage, "oci.digest_mismatch",
                      cat(to_string(reference), ": the image is ", image.descriptor.digest),
                      "leave the digest away");
  PushResult result;
  const std::string& name = reference.tag.empty() ? image.descriptor.digest : reference.tag;
  TRY(push_parts(session, image, reference.repository, name, options, result));
  return result;
}

}  // namespace wherry::oci
