#include "kube/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::kube {
namespace {

using text::Json;

std::vector<std::string> differences(const Json& before, const Json& after) {
  std::vector<std::string> lines;
  for (const Change& change : compare(before, after)) lines.push_back(describe(change));
  return lines;
}

TEST(Changes, EqualObjectsHaveNone) {
  EXPECT_TRUE(compare({{"spec", {{"a", 1}}}}, {{"spec", {{"a", 1}}}}).empty());
}

TEST(Changes, TheServersBookkeepingIsNoChange) {
  EXPECT_TRUE(
      compare({{"metadata",
                {{"resourceVersion", "1"}, {"annotations", {{"deployment.kubernetes.io/revision", "1"}}}}},
               {"status", {{"a", 1}}}},
              {{"metadata", {{"resourceVersion", "2"}, {"generation", 3}}}})
          .empty());
}

TEST(Changes, AddedChangedAndRemovedFieldsAreNamed) {
  EXPECT_THAT(differences({{"spec", {{"a", 1}, {"b", 2}}}}, {{"spec", {{"b", 3}, {"c", "x"}}}}),
              ::testing::ElementsAre("spec.a: 1 -> (none)", "spec.b: 2 -> 3", "spec.c: (none) -> \"x\""));
}

TEST(Changes, ListElementsGoByTheirName) {
  EXPECT_THAT(
      differences({{"env", Json::array({{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "2"}}})}},
                  {{"env", Json::array({{{"name", "B"}, {"value", "3"}}, {{"name", "A"}, {"value", "1"}}})}}),
      ::testing::ElementsAre("env[B].value: \"2\" -> \"3\""));
}

TEST(Changes, PlainListsChangeWhole) {
  EXPECT_THAT(differences({{"args", {"a", "b"}}}, {{"args", {"a"}}}),
              ::testing::ElementsAre(R"(args: ["a","b"] -> ["a"])"));
}

TEST(Changes, LabelKeysWithDotsAreBracketed) {
  EXPECT_THAT(differences({{"labels", {{"app.kubernetes.io/name", "a"}}}},
                          {{"labels", {{"app.kubernetes.io/name", "b"}}}}),
              ::testing::ElementsAre("labels[app.kubernetes.io/name]: \"a\" -> \"b\""));
}

TEST(Changes, AnAbsentObjectIsOneChange) {
  const auto changes = compare(Json(), {{"spec", 1}});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes.front().path, "");
}

}  // namespace
}  // namespace wherry::kube
