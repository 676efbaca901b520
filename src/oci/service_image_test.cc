#include "oci/service_image.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "oci/dockerfile.h"
#include "oci/elf.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;

std::string corpus(std::string_view name) {
  const auto file =
      base::real_files().read(fs::path(WHERRY_SOURCE_DIR) / "fuzz/corpus/oci_elf" / name, 1 << 20);
  EXPECT_TRUE(file);
  return file ? *file : std::string();
}

TEST(Elf, FactsOfADynamicProgram) {
  const auto facts = read_elf(base::as_bytes(corpus("dynamic")), "dynamic");
  ASSERT_TRUE(facts) << base::describe(facts.error());
  EXPECT_EQ(facts->architecture, "amd64");
  EXPECT_EQ(facts->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(facts->needed, (std::vector<std::string>{"libc.so.6", "libm.so.6"}));
  EXPECT_EQ(facts->run_path, (std::vector<std::string>{"$ORIGIN/x", "/opt/lib"}));
}

TEST(Elf, StaticProgramNeedsNothing) {
  const auto facts = read_elf(base::as_bytes(corpus("static")), "static");
  ASSERT_TRUE(facts) << base::describe(facts.error());
  EXPECT_TRUE(facts->needed.empty());
  EXPECT_EQ(facts->interpreter, "");
}

TEST(Elf, EveryTruncationIsAnError) {
  const std::string whole = corpus("dynamic");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    EXPECT_FALSE(read_elf(base::as_bytes(part), "part")) << size;
  }
}

TEST(Elf, OtherFilesAreRefused) {
  for (const char* name : {"header_outside", "big_endian", "string_outside"})
    EXPECT_EQ(read_elf(base::as_bytes(corpus(name)), name).error().id, "oci.elf_invalid") << name;
}

class ServiceImageTest : public testing::Test {
 protected:
  fs::path place(std::string_view name) const { return folder_->path() / name; }
  void write(std::string_view name, std::string_view content) const {
    ASSERT_TRUE(base::real_files().write(place(name), content));
  }
  std::set<std::string> paths(const std::vector<LayerEntry>& entries) const {
    std::set<std::string> paths;
    for (const LayerEntry& entry : entries) paths.insert(entry.path);
    return paths;
  }
  ServiceImageRequest request() const {
    write("bundle/bundle.json", "{}");
    write("bundle/program.json", "{}");
    write("bundle/weights.safetensors", std::string(2 << 20, 'w'));
    return {
        .server = "/proc/self/exe",
        .bundle = place("bundle"),
        .labels = {{"org.opencontainers.image.version", "1"}, {"org.opencontainers.image.title", "fr$aud"}},
        .command = {"serve"}};
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
};

// ldd is glibc's own answer to the same question.
TEST_F(ServiceImageTest, RuntimeHasTheLibrariesWhichLddNames) {
  const auto runtime = runtime_files("/proc/self/exe");
  ASSERT_TRUE(runtime) << base::describe(runtime.error());
  std::set<std::string> ours;
  for (const LayerEntry& entry : runtime->entries)
    if (entry.path.find(".so") != std::string::npos) ours.insert(fs::path(entry.path).filename().string());
  const auto ldd =
      base::real_processes().run({.arguments = {"ldd", fs::read_symlink("/proc/self/exe").string()}});
  ASSERT_TRUE(ldd);
  std::set<std::string> theirs;
  for (std::string_view line : base::split(ldd->out, '\n')) {
    const std::string_view name = base::trim(line.substr(0, line.find(" (")));
    if (name.empty() || name.starts_with("linux-vdso")) continue;
    theirs.insert(fs::path(name.substr(0, name.find(" =>"))).filename().string());
  }
  EXPECT_EQ(ours, theirs);
}

TEST_F(ServiceImageTest, RuntimeHasServerUsersAndTmp) {
  const auto runtime = runtime_files("/proc/self/exe");
  ASSERT_TRUE(runtime);
  const std::set<std::string> found = paths(runtime->entries);
  for (const char* path : {"wherry-server", "etc/passwd", "etc/group", "tmp"})
    EXPECT_TRUE(found.contains(path)) << path;
  for (const LayerEntry& entry : runtime->entries) {
    EXPECT_EQ(entry.uid, 0);
    if (entry.path == "tmp") {
      EXPECT_EQ(entry.mode, 01777);
    }
  }
}

// What is loaded by name at run time comes with what it needs, apart from the rest, which stays the same.
TEST_F(ServiceImageTest, LibrariesLoadedAtRunTimeStandApart) {
  const auto plain = runtime_files("/bin/ls");
  ASSERT_TRUE(plain);
  fs::path folder;
  for (const LayerEntry& entry : plain->entries)
    if (entry.path.ends_with("/libc.so.6")) folder = fs::path(entry.path).parent_path();
  const fs::path resolver = "/" / folder / "libresolv.so.2";  // glibc's own, which ls does not need
  const auto runtime = runtime_files("/bin/ls", {.libraries = {{resolver, "libloaded.so.1"}}});
  ASSERT_TRUE(runtime) << base::describe(runtime.error());
  EXPECT_EQ(paths(runtime->entries), paths(plain->entries));
  EXPECT_EQ(paths(runtime->loaded), std::set<std::string>{(folder / "libloaded.so.1").string()});
  EXPECT_TRUE(plain->loaded.empty());
}

// The whole closure starts: run the program through the loader and libraries which were collected.
TEST_F(ServiceImageTest, CollectedRuntimeRunsTheProgram) {
  const auto runtime = runtime_files("/bin/ls");
  ASSERT_TRUE(runtime);
  ServiceFiles files;
  files.groups.push_back({"runtime", runtime->entries});
  ASSERT_TRUE(write_docker_context(files, place("context")));
  const fs::path root = place("context") / "runtime";
  const auto facts = read_elf(base::MappedFile::open("/bin/ls")->bytes(), "ls");
  const auto output = base::real_processes().run(
      {.arguments = {
           (root / facts->interpreter.substr(1)).string(), "--inhibit-cache", "--library-path",
           (root / "lib/x86_64-linux-gnu").string() + ":" + (root / "lib/aarch64-linux-gnu").string(),
           (root / "wherry-server").string(), (root / "etc").string()}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "group\npasswd\n") << output->err;
}

TEST_F(ServiceImageTest, MissingLibraryIsNamed) {
  write("server", corpus("dynamic"));
  fs::create_directories(place("root/lib64"));
  write("root/lib64/ld-linux-x86-64.so.2", corpus("static"));
  const auto runtime = runtime_files(place("server"), {.root = place("root")});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().id, "oci.library_missing");
  EXPECT_NE(runtime.error().message.find("'libc.so.6'"), std::string::npos);
}

TEST_F(ServiceImageTest, LibrariesAreFoundBelowARootAndByRunPath) {
  write("server", corpus("dynamic"));
  write("root/lib64/ld-linux-x86-64.so.2", corpus("static"));
  write("root/usr/lib/x86_64-linux-gnu/libc.so.6", corpus("static"));
  write("x/libm.so.6", corpus("static"));
  const auto runtime = runtime_files(place("server"), {.root = place("root")});
  ASSERT_TRUE(runtime) << base::describe(runtime.error());
  const std::set<std::string> found = paths(runtime->entries);
  EXPECT_TRUE(found.contains("lib64/ld-linux-x86-64.so.2"));
  EXPECT_TRUE(found.contains("usr/lib/x86_64-linux-gnu/libc.so.6"));
  EXPECT_TRUE(found.contains("lib/x86_64-linux-gnu/libm.so.6"));
}

TEST_F(ServiceImageTest, TextIsNoServer) {
  write("server", "#!/bin/sh\n");
  EXPECT_EQ(runtime_files(place("server")).error().id, "oci.elf_invalid");
}

TEST_F(ServiceImageTest, WeightsAreALayerOfTheirOwn) {
  const auto files = service_files(request());
  ASSERT_TRUE(files) << base::describe(files.error());
  ASSERT_EQ(files->groups.size(), 3);
  EXPECT_EQ(paths(files->groups[1].entries), std::set<std::string>{"model/weights.safetensors"});
  EXPECT_EQ(paths(files->groups[2].entries),
            (std::set<std::string>{"model/bundle.json", "model/program.json"}));
}

TEST_F(ServiceImageTest, BuildingTwiceGivesTheSameDigest) {
  const auto first = build_image(*service_files(request()), place("store-1"));
  const auto second = build_image(*service_files(request()), place("store-2"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->descriptor, second->descriptor);
  EXPECT_EQ(first->manifest, second->manifest);
}

TEST_F(ServiceImageTest, NewServerKeepsTheModelLayersAndTheReverse) {
  const auto first = build_image(*service_files(request()), place("store"));
  ServiceImageRequest other = request();
  other.server = "/bin/ls";
  const auto second = build_image(*service_files(other), place("store"));
  other.server = "/proc/self/exe";
  write("bundle/bundle.json", "{\"changed\":true}");
  const auto third = build_image(*service_files(other), place("store"));
  ASSERT_TRUE(first && second && third);
  EXPECT_NE(second->layers[0].descriptor, first->layers[0].descriptor);
  EXPECT_EQ(second->layers[1].descriptor, first->layers[1].descriptor);
  EXPECT_EQ(second->layers[2].descriptor, first->layers[2].descriptor);
  EXPECT_EQ(third->layers[0].descriptor, first->layers[0].descriptor);
  EXPECT_EQ(third->layers[1].descriptor, first->layers[1].descriptor);
  EXPECT_NE(third->layers[2].descriptor, first->layers[2].descriptor);
}

TEST_F(ServiceImageTest, ConfigSaysHowToRunIt) {
  const auto image = build_image(*service_files(request()), place("store"));
  ASSERT_TRUE(image);
  const auto config = parse_config(image->config, "test");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->user, "65532:65532");
  EXPECT_EQ(config->entrypoint, std::vector<std::string>{"/wherry-server"});
  EXPECT_EQ(config->command, std::vector<std::string>{"serve"});
  EXPECT_EQ(config->exposed_ports, std::vector<std::string>{"8080/tcp"});
  EXPECT_EQ(config->stop_signal, "SIGTERM");
  EXPECT_EQ(config->diff_ids.size(), image->layers.size());
  EXPECT_EQ(config->history.size(), image->layers.size());
  EXPECT_EQ(config->labels.front().first, "org.opencontainers.image.title");
}

TEST_F(ServiceImageTest, DockerfileSaysTheSame) {
  const auto files = service_files(request());
  ASSERT_TRUE(files);
  EXPECT_EQ(dockerfile(*files),
            base::cat("# The image which `wherry build` makes, for ", to_string(files->spec.platform),
                      "; the folders beside this file are its layers.\n") +
                "FROM scratch\n"
                "COPY runtime/ /\n"
                "COPY weights/ /\n"
                "COPY model/ /\n"
                "LABEL \"org.opencontainers.image.version\"=\"1\"\n"
                "LABEL \"org.opencontainers.image.title\"=\"fr\\$aud\"\n"
                "EXPOSE 8080/tcp\n"
                "WORKDIR /\n"
                "USER 65532:65532\n"
                "STOPSIGNAL SIGTERM\n"
                "ENTRYPOINT [\"/wherry-server\"]\n"
                "CMD [\"serve\"]\n");
}

TEST_F(ServiceImageTest, DockerContextHasTheFilesOfEveryLayer) {
  const auto files = service_files(request());
  ASSERT_TRUE(write_docker_context(*files, place("context")));
  EXPECT_TRUE(fs::exists(place("context/runtime/wherry-server")));
  EXPECT_TRUE(fs::exists(place("context/weights/model/weights.safetensors")));
  EXPECT_TRUE(fs::exists(place("context/Dockerfile")));
  EXPECT_EQ(fs::status(place("context/runtime/tmp")).permissions(), fs::perms::all | fs::perms::sticky_bit);
  EXPECT_EQ(write_docker_context(*files, place("context")).error().id, "oci.output_exists");
}

}  // namespace
}  // namespace wherry::oci
