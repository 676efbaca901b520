#include "serve/model_facts.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace wherry::serve {

namespace {

protocol::QueueFacts queue_facts(const schedule::QueuePolicy& policy) {
  return {.delays = policy.timeout_action == schedule::TimeoutAction::kDelay,
          .default_timeout_us = static_cast<std::uint64_t>(policy.default_timeout.count()),
          .allow_timeout_override = policy.allow_timeout_override,
          .most_waiting = policy.max_queue_size};
}

protocol::PhaseStatistics phase(const repository::Amount& amount) {
  return {amount.count, amount.nanoseconds};
}

}  // namespace

protocol::ModelConfiguration configuration_of(const Model& model, unsigned workers) {
  const schedule::Policy& policy = model.settings.batching;
  protocol::DynamicBatching batching{
      .preferred_sizes = {policy.preferred_batch_sizes.begin(), policy.preferred_batch_sizes.end()},
      .most_queue_delay_us = static_cast<std::uint64_t>(policy.max_queue_delay.count()),
      .preserve_ordering = policy.preserve_ordering,
      .priority_levels = policy.priority_levels,
      .default_priority_level = policy.default_priority_level,
      .queue = queue_facts(policy.default_queue_policy),
      .queue_of_level = {}};
  for (const auto& [level, queue] : policy.priority_queue_policy)
    batching.queue_of_level.emplace_back(level, queue_facts(queue));
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  const bool joins = model.schema.signature().batched;  // else a request is a run, and axis 0 no batch
  return {.name = model.name,
          .platform = base::cat("wherry_", model.labels.framework),
          .most_rows = joins ? static_cast<std::uint32_t>(std::min(policy.max_batch_size, kMost)) : 0,
          .instances = policy.instances > 0 ? policy.instances : std::max(workers, 1U),
          .batching = joins ? std::optional(std::move(batching)) : std::nullopt};
}

protocol::ModelStatistics statistics_of(const Model& model) {
  using protocol::Phase;
  using repository::Step;
  const repository::StatisticsSum sum = model.statistics->sum();
  protocol::ModelStatistics statistics{.name = model.name,
                                       .version = model.version,
                                       .last_inference_ms = sum.last_inference_ms,
                                       .inferences = sum.inference_count,
                                       .executions = sum.execution_count,
                                       .phases = {},
                                       .batches = {}};
  static constexpr std::pair<Phase, Step> kSteps[] = {
      {Phase::kSuccess, Step::kSuccess},    {Phase::kFail, Step::kFail},
      {Phase::kQueue, Step::kQueue},        {Phase::kComputeInput, Step::kInput},
      {Phase::kComputeInfer, Step::kInfer}, {Phase::kComputeOutput, Step::kOutput}};
  for (const auto& [to, from] : kSteps) statistics.phases[static_cast<std::size_t>(to)] = phase(sum.of(from));
  for (const repository::BatchAmount& batch : sum.batches)
    statistics.batches.push_back(
        {batch.batch_size, phase(batch.input), phase(batch.infer), phase(batch.output)});
  return statistics;
}

std::vector<protocol::ModelStatistics> statistics_of(const Snapshot& models, std::string_view name) {
  std::vector<protocol::ModelStatistics> statistics;
  for (const repository::ModelVersions& model : models.models)
    if (name.empty() || model.name == name)
      for (const auto& version : model.versions) statistics.push_back(statistics_of(*version));
  return statistics;
}

std::vector<protocol::IndexEntry> index_of(const Snapshot& models, bool only_ready) {
  std::vector<protocol::IndexEntry> entries;
  for (const repository::VersionStatus& row : models.index)
    if (!only_ready || row.state == repository::State::kReady)
      entries.push_back({row.name, row.version, repository::name(row.state), row.reason});
  return entries;
}

}  // namespace wherry::serve
