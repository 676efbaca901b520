// Microseconds per call of the native engine and of other predictors of boosted trees, through their C APIs,
// in one process and one thread. Run by bench/boosters.py, which makes the models.
//
//   boosters_bench COLUMNS ROUNDS ENGINE LIBRARY MODEL [ENGINE LIBRARY MODEL]...
//
// One line per engine and batch: ENGINE ROWS MICROSECONDS FIRST, where FIRST is the prediction of the first
// row. Engines take turns in each round; the median of the rounds counts. Times are of the thread's processor
// time, so that a busy machine disturbs less.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "import/formats/formats.h"

namespace {

using namespace wherry;

constexpr std::size_t kBatches[] = {1, 10, 100, 1000};
constexpr std::size_t kRowsInTurn = 4000;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);
}

// One batch in the forms the engines take.
struct Batch {
  std::size_t rows = 0, columns = 0;
  std::vector<double> doubles;
  std::vector<float> floats;
  tensor::Table table;
};

// A predictor: `predict(batch)` answers the prediction of the first row.
struct Peer {
  std::string name;
  std::function<double(std::size_t batch)> predict;
};

template <class F>
F symbol(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found == nullptr) give_up(std::string("no ") + name);
  return reinterpret_cast<F>(found);
}

void* open_library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) give_up(dlerror());
  return library;
}

using Batches = std::vector<Batch>;

Peer make_wherry(const std::string&, const std::string& model, const Batches& batches) {
  auto inspection = formats::inspect_file(model);
  if (!inspection) give_up(base::describe(inspection.error()));
  if (inspection->refusal) give_up(base::describe(*inspection->refusal));
  auto compiled = engine::Plan::compile(*std::move(inspection->program));
  if (!compiled) give_up(base::describe(compiled.error()));
  const auto plan = std::make_shared<engine::Plan>(*std::move(compiled));
  const auto workspace = std::make_shared<engine::Workspace>();
  const std::size_t predict = *plan->find_output("predict");
  return {"", [=, &batches](std::size_t b) {
            if (!plan->run(batches[b].table, engine::only(predict), *workspace)) give_up("wherry");
            return workspace->result(predict, 0).doubles[0];
          }};
}

// include/LightGBM/c_api.h
Peer make_lightgbm(const std::string& path, const std::string& model, const Batches& batches) {
  void* library = open_library(path);
  using Create = int (*)(const char*, int*, void**);
  using FastInit = int (*)(void*, int, int, int, int, std::int32_t, const char*, void**);
  using Fast = int (*)(void*, const void*, std::int64_t*, double*);
  using ForMat = int (*)(void*, const void*, int, std::int32_t, std::int32_t, int, int, int, int, const char*,
                         std::int64_t*, double*);
  constexpr int kFloat64 = 1;
  void* booster = nullptr;
  void* fast = nullptr;
  int iterations = 0;
  if (symbol<Create>(library, "LGBM_BoosterCreateFromModelfile")(model.c_str(), &iterations, &booster) != 0)
    give_up("LightGBM does not load the model");
  const auto columns = static_cast<std::int32_t>(batches[0].columns);
  if (symbol<FastInit>(library, "LGBM_BoosterPredictForMatSingleRowFastInit")(
          booster, 0, 0, 0, kFloat64, columns, "num_threads=1", &fast) != 0)
    give_up("LightGBM");
  const auto one = symbol<Fast>(library, "LGBM_BoosterPredictForMatSingleRowFast");
  const auto many = symbol<ForMat>(library, "LGBM_BoosterPredictForMat");
  const auto out = std::make_shared<std::vector<double>>(1000);
  return {"", [=, &batches](std::size_t b) {
            const Batch& batch = batches[b];
            std::int64_t length = 0;
            const int error = batch.rows == 1 ? one(fast, batch.doubles.data(), &length, out->data())
                                              : many(booster, batch.doubles.data(), kFloat64,
                                                     static_cast<std::int32_t>(batch.rows), columns, 1, 0, 0,
                                                     0, "num_threads=1", &length, out->data());
            if (error != 0) give_up("LightGBM");
            return (*out)[0];
          }};
}

// include/xgboost/c_api.h
Peer make_xgboost(const std::string& path, const std::string& model, const Batches& batches) {
  void* library = open_library(path);
  using Create = int (*)(const void*, std::uint64_t, void**);
  using Load = int (*)(void*, const char*);
  using Set = int (*)(void*, const char*, const char*);
  using Predict =
      int (*)(void*, const char*, const char*, void*, const std::uint64_t**, std::uint64_t*, const float**);
  void* booster = nullptr;
  if (symbol<Create>(library, "XGBoosterCreate")(nullptr, 0, &booster) != 0 ||
      symbol<Load>(library, "XGBoosterLoadModel")(booster, model.c_str()) != 0 ||
      symbol<Set>(library, "XGBoosterSetParam")(booster, "nthread", "1") != 0)
    give_up("XGBoost does not load the model");
  const auto predict = symbol<Predict>(library, "XGBoosterPredictFromDense");
  const auto descriptions = std::make_shared<std::vector<std::string>>();
  for (const Batch& batch : batches)
    descriptions->push_back("{\"data\":[" +
                            std::to_string(reinterpret_cast<std::uintptr_t>(batch.floats.data())) +
                            ",true],\"shape\":[" + std::to_string(batch.rows) + "," +
                            std::to_string(batch.columns) + "],\"typestr\":\"<f4\",\"version\":3}");
  return {"", [=](std::size_t b) {
            const std::uint64_t* shape = nullptr;
            std::uint64_t dimensions = 0;
            const float* out = nullptr;
            if (predict(booster, (*descriptions)[b].c_str(),
                        "{\"type\":0,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,"
                        "\"cache_id\":0,\"missing\":NaN}",
                        nullptr, &shape, &dimensions, &out) != 0)
              give_up("XGBoost");
            return static_cast<double>(out[0]);
          }};
}

// The code TL2cgen writes: predict(data, pred_margin, result) of one row, whose cells are unions of the
// number with an int that is -1 where it is missing. `kNumber` is the type of thresholds.
template <class Number>
Peer make_tl2cgen(const std::string& path, const std::string&, const Batches& batches) {
  using Predict = void (*)(void*, int, Number*);
  const auto predict = symbol<Predict>(open_library(path), "predict");
  const auto out = std::make_shared<std::vector<Number>>(1000);
  return {"", [=, &batches](std::size_t b) {
            const Batch& batch = batches[b];
            std::fill_n(out->data(), batch.rows, Number{});  // which predict adds to
            for (std::size_t row = 0; row < batch.rows; ++row) {
              const void* data;
              if constexpr (std::is_same_v<Number, float>)
                data = batch.floats.data() + row * batch.columns;
              else
                data = batch.doubles.data() + row * batch.columns;
              predict(const_cast<void*>(data), 0, out->data() + row);
            }
            return static_cast<double>((*out)[0]);
          }};
}

// forest_root(data, out, first row, row after the last), as lleaves compiles it.
Peer make_lleaves(const std::string& path, const std::string&, const Batches& batches) {
  using Predict = void (*)(const double*, double*, int, int);
  const auto predict = symbol<Predict>(open_library(path), "forest_root");
  const auto out = std::make_shared<std::vector<double>>(1000);
  return {"", [=, &batches](std::size_t b) {
            predict(batches[b].doubles.data(), out->data(), 0, static_cast<int>(batches[b].rows));
            return (*out)[0];
          }};
}

// The table of functions behind OrtGetApiBase, whose order never changes (onnxruntime_c_api.h).
Peer make_onnxruntime(const std::string& path, const std::string& model, const Batches& batches) {
  struct Base {
    const void* const* (*get_api)(std::uint32_t);
    const char* (*version)();
  };
  using Status = void*;
  const void* const* api = symbol<const Base* (*)()>(open_library(path), "OrtGetApiBase")()->get_api(16);
  const auto call = [api](std::size_t slot, auto... arguments) {
    const auto function = reinterpret_cast<Status (*)(decltype(arguments)...)>(const_cast<void*>(api[slot]));
    const Status status = function(arguments...);
    if (status == nullptr) return;
    const auto message = reinterpret_cast<const char* (*)(Status)>(const_cast<void*>(api[2]));
    give_up(message(status));
  };
  void *environment = nullptr, *options = nullptr, *session = nullptr, *memory = nullptr;
  call(3, 3, "bench", &environment);                       // CreateEnv, errors only
  call(10, &options);                                      // CreateSessionOptions
  call(24, options, 1);                                    // SetIntraOpNumThreads
  call(25, options, 1);                                    // SetInterOpNumThreads
  call(7, environment, model.c_str(), options, &session);  // CreateSession
  call(69, 1, 0, &memory);                                 // CreateCpuMemoryInfo
  const auto results = std::make_shared<std::vector<float>>(1000);
  const auto inputs = std::make_shared<std::vector<void*>>();
  const auto outputs = std::make_shared<std::vector<void*>>();
  const auto tensor = [&](const float* data, std::size_t rows, std::size_t columns) {
    const std::int64_t shape[] = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
    void* value = nullptr;
    call(49, memory, const_cast<float*>(data), rows * columns * sizeof(float),
         static_cast<const std::int64_t*>(shape), std::size_t{2}, 1,
         &value);  // CreateTensorWithDataAsOrtValue of float
    return value;
  };
  for (const Batch& batch : batches) {
    inputs->push_back(tensor(batch.floats.data(), batch.rows, batch.columns));
    outputs->push_back(tensor(results->data(), batch.rows, 1));
  }
  return {"", [=](std::size_t b) {
            static const char* const input_names[] = {"input"};
            static const char* const output_names[] = {"variable"};
            const void* in[] = {(*inputs)[b]};
            void* out[] = {(*outputs)[b]};
            call(9, session, static_cast<void*>(nullptr), static_cast<const char* const*>(input_names),
                 static_cast<const void* const*>(in), std::size_t{1},
                 static_cast<const char* const*>(output_names), std::size_t{1},
                 static_cast<void**>(out));  // Run
            return static_cast<double>((*results)[0]);
          }};
}

struct Kind {
  std::string_view name;
  Peer (*make)(const std::string& library, const std::string& model, const Batches& batches);
};
constexpr Kind kKinds[] = {
    {"wherry", make_wherry},
    {"lightgbm", make_lightgbm},
    {"xgboost", make_xgboost},
    {"tl2cgen-float32", make_tl2cgen<float>},
    {"tl2cgen-float64", make_tl2cgen<double>},
    {"lleaves", make_lleaves},
    {"onnxruntime", make_onnxruntime},
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Batches random_batches(std::size_t rows, std::size_t columns) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> uniform(0, 1);
  Batches out(kRowsInTurn / rows);
  for (Batch& batch : out) {
    batch.rows = rows;
    batch.columns = columns;
    for (std::size_t i = 0; i < rows * columns; ++i) batch.floats.push_back(uniform(random));
    batch.doubles.assign(batch.floats.begin(), batch.floats.end());
    batch.table.reset(rows, columns);
    batch.table.numbers = batch.doubles;
  }
  return out;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || (argc - 3) % 3 != 0)
    give_up("usage: boosters_bench COLUMNS ROUNDS [ENGINE LIBRARY MODEL]...");
  const auto columns = static_cast<std::size_t>(std::atoi(argv[1]));
  const int rounds = std::atoi(argv[2]);
  for (const std::size_t rows : kBatches) {
    const Batches batches = random_batches(rows, columns);
    std::vector<Peer> peers;
    for (int i = 3; i < argc; i += 3) {
      const auto kind = std::ranges::find(kKinds, std::string_view(argv[i]), &Kind::name);
      if (kind == std::end(kKinds)) give_up(std::string("unknown engine ") + argv[i]);
      peers.push_back(kind->make(argv[i + 1], argv[i + 2], batches));
      peers.back().name = argv[i];
    }
    std::vector<std::vector<double>> times(peers.size());
    std::vector<double> first(peers.size());
    for (int round = -1; round < rounds; ++round) {  // round -1 warms up
      for (std::size_t p = 0; p < peers.size(); ++p) {
        first[p] = peers[p].predict(0);
        const double start = processor_seconds();
        for (std::size_t b = 0; b < batches.size(); ++b) peers[p].predict(b);
        const double took = processor_seconds() - start;
        if (round >= 0) times[p].push_back(1e6 * took / static_cast<double>(batches.size()));
      }
    }
    for (std::size_t p = 0; p < peers.size(); ++p)
      std::printf("%s %zu %.4f %.9g\n", peers[p].name.c_str(), rows, median(times[p]), first[p]);
    std::fflush(stdout);
  }
  return 0;
}
