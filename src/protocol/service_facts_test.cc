#include "protocol/service_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protobuf/wire.h"

#include "protocol/test_schema.h"
#include "protocol/v2_grpc_messages.h"
#include "text/json.h"

namespace wherry::protocol {
namespace {

using testing::HasSubstr;

text::Json parsed(const std::string& json) {
  const auto document = text::parse_json(json, "document");
  EXPECT_TRUE(document) << json;
  return document ? *document : text::Json();
}

TEST(Configuration, IsWhatTritonsClientsLookFor) {
  ModelConfiguration model{.name = "m", .platform = "wherry_x", .most_rows = 100, .instances = 2};
  const text::Json plain = parsed(config_json(model, matrix_schema(3)));
  EXPECT_EQ(plain["max_batch_size"], 100);
  EXPECT_EQ(plain["model_transaction_policy"]["decoupled"], false);
  EXPECT_FALSE(plain.contains("dynamic_batching"));
  EXPECT_EQ(plain["input"][0]["name"], "input");
  EXPECT_EQ(plain["input"][0]["data_type"], "TYPE_FP64");
  EXPECT_EQ(plain["input"][0]["dims"], text::Json::parse("[3]"));
  EXPECT_EQ(plain["output"][0]["dims"], text::Json::parse("[1]"));
  EXPECT_EQ(plain["output"][0]["reshape"]["shape"], text::Json::parse("[]"));
  EXPECT_EQ(plain["instance_group"][0]["count"], 2);
  model.batching = DynamicBatching{.preferred_sizes = {4, 8},
                                   .most_queue_delay_us = 100,
                                   .priority_levels = 2,
                                   .queue_of_level = {{1, {.delays = true, .most_waiting = 5}}}};
  const text::Json batching = parsed(config_json(model, mixed_schema()))["dynamic_batching"];
  EXPECT_EQ(batching["preferred_batch_size"], text::Json::parse("[4,8]"));
  EXPECT_EQ(batching["max_queue_delay_microseconds"], 100);
  EXPECT_EQ(batching["priority_queue_policy"]["1"]["timeout_action"], "DELAY");
  EXPECT_EQ(batching["default_queue_policy"]["timeout_action"], "REJECT");
}

TEST(Statistics, AreThoseOfTritonsExtension) {
  ModelStatistics model{
      .name = "m", .version = "1", .last_inference_ms = 5, .inferences = 7, .executions = 3};
  model.phases[static_cast<std::size_t>(Phase::kQueue)] = {2, 40};
  model.batches = {{4, {1, 10}, {1, 20}, {1, 30}}};
  const text::Json document = parsed(statistics_json(std::span(&model, 1)))["model_stats"][0];
  EXPECT_EQ(document["name"], "m");
  EXPECT_EQ(document["inference_count"], 7);
  EXPECT_EQ(document["execution_count"], 3);
  EXPECT_EQ(document["inference_stats"]["queue"], text::Json::parse(R"({"count":2,"ns":40})"));
  EXPECT_EQ(document["inference_stats"]["cache_miss"]["count"], 0);
  EXPECT_EQ(document["batch_stats"][0]["compute_infer"]["ns"], 20);
  EXPECT_EQ(statistics_json({}), R"({"model_stats":[]})");
}

TEST(Index, ListsStatesAndReasons) {
  const IndexEntry entries[] = {{"a", "1", "READY", ""}, {"b", "2", "UNAVAILABLE", "no \"bundle\""}};
  EXPECT_EQ(
      index_json(entries),
      R"([{"name":"a","version":"1","state":"READY","reason":""},{"name":"b","version":"2","state":"UNAVAILABLE","reason":"no \"bundle\""}])");
}

TEST(Index, MayBeAskedForReadyModelsOnly) {
  EXPECT_EQ(read_index_request(""), false);
  EXPECT_EQ(read_index_request("{}"), false);
  EXPECT_EQ(read_index_request(R"({"x":[],"ready":true})"), true);
  EXPECT_FALSE(read_index_request(R"({"ready":1})"));
  EXPECT_FALSE(read_index_request(R"({"ready":true}x)"));
}

TEST(Messages, NameAModelAndItsVersion) {
  std::string message;
  protobuf::Writer writer(message);
  writer.bytes(1, "m");
  writer.bytes(2, "3");
  writer.bytes(99, "unknown");
  const auto model = read_named_model(message);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->name, "m");
  EXPECT_EQ(model->version, "3");
  EXPECT_FALSE(read_named_model("\x0a\x01\xff"));
  EXPECT_FALSE(read_named_model("\x0a\x05"));
}

TEST(Messages, OfTheRepositoryHaveParameters) {
  std::string config, other, message;
  protobuf::Writer(config).bytes(3, "{}");
  protobuf::Writer(other).bytes(4, "content");
  protobuf::Writer writer(message);
  writer.bytes(2, "m");
  for (const auto& [name, value] : {std::pair{"config", config}, std::pair{"file:1/model.onnx", other}}) {
    const std::size_t mark = writer.begin(3);
    writer.bytes(1, name);
    writer.bytes(2, value);
    writer.end(mark);
  }
  const auto command = read_repository_command(message);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->model_name, "m");
  EXPECT_EQ(command->config, "{}");
  EXPECT_EQ(command->unknown, "file:1/model.onnx");
}

}  // namespace
}  // namespace wherry::protocol
