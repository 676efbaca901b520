#include "http/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/text.h"
#include "http/connection.h"
#include "http/syn_filter.h"

namespace wherry::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

namespace {

class Worker;

// One connection and its socket. Kept alive by the pending operation, of which there is exactly one.
class Session
    : public std::enable_shared_from_this<Session>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Session(tcp::socket socket, Worker& worker);
  ~Session();

  void start() { await_input(); }
  void check_deadline(SteadyTime now);
  // The server stops: an idle connection has until `limit` to send one more request.
  void drain(SteadyTime limit);
  bool idle() const { return connection_.phase() == Connection::Phase::kIdle && sent_ == 0; }
  void abort();

 private:
  enum class State { kReading, kWriting, kLingering, kClosed };
  void await_input();
  void on_input(const error_code& error);
  void flush();
  void linger();
  void set_deadline();

  tcp::socket socket_;
  Worker& worker_;
  Connection connection_;
  State state_ = State::kReading;
  std::size_t sent_ = 0;  // of connection_.output()
  Connection::Phase timed_phase_ = Connection::Phase::kIdle;
  SteadyTime deadline_;
};

using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

// One thread, its event loop, its handler, its connections.
class Worker {
 public:
  Worker(const Limits& limits, std::unique_ptr<Handler> handler, const std::atomic<bool>& draining,
         std::atomic<std::size_t>& large_bytes)
      : limits_(limits),
        handler_(std::move(handler)),
        shared_{limits, *handler_, draining, large_bytes, -1, {}, {}},
        context_(1),
        work_(asio::make_work_guard(context_)),
        timer_(context_) {}

  asio::io_context& context() { return context_; }
  Shared& shared() { return shared_; }
  const Limits& limits() const { return limits_; }
  std::atomic<std::size_t>& open() { return open_; }

  void start_thread() {
    thread_ = std::thread([this] {
      context_.run();
      handler_->tick();
    });
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  // The connection was counted in open() by the acceptor.
  void adopt(tcp::socket socket) {
    const auto session = std::make_shared<Session>(std::move(socket), *this);
    sessions_.push_back(*session);
    if (!ticking_) schedule_tick();
    if (stopping_) session->drain(std::chrono::steady_clock::now() + limits_.drain_idle);
    session->start();
  }
  void drain() {
    stopping_ = true;
    const auto limit = std::chrono::steady_clock::now() + limits_.drain_idle;
    for (Session& session : sessions_) session.drain(limit);
    end_if_done();
  }
  // Closes everything; the number of connections which were in the middle of an exchange.
  std::size_t cut() {
    std::size_t busy = 0;
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      Session& session = *it++;
      if (!session.idle()) ++busy;
      session.abort();
    }
    return busy;
  }
  void session_ended() {
    --open_;
    end_if_done();
  }

 private:
  void end_if_done() {
    if (!stopping_ || open_ != 0) return;
    timer_.cancel();
    work_.reset();
  }
  milliseconds tick_length() const {
    const milliseconds shortest = std::min({limits_.head, limits_.body, limits_.write, limits_.idle,
                                            limits_.linger, limits_.drain_idle, milliseconds{1000}});
    return std::max(shortest / 4, milliseconds{5});
  }
  void schedule_tick() {
    ticking_ = true;
    timer_.expires_after(tick_length());
    timer_.async_wait([this](const error_code& error) {
      ticking_ = false;
      handler_->tick();
      if (error) return;
      const auto now = std::chrono::steady_clock::now();
      for (auto it = sessions_.begin(); it != sessions_.end();) (it++)->check_deadline(now);
      if (!sessions_.empty()) schedule_tick();  // an idle server without connections does not wake up
    });
  }

  const Limits& limits_;
  std::unique_ptr<Handler> handler_;
  Shared shared_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_;
  Sessions sessions_;
  std::atomic<std::size_t> open_{0};  // also read by the acceptor
  bool ticking_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

Session::Session(tcp::socket socket, Worker& worker)
    : socket_(std::move(socket)), worker_(worker), connection_(worker.shared()) {
  deadline_ = std::chrono::steady_clock::now() + worker.limits().head;  // the first request should come soon
}

Session::~Session() {
  unlink();
  worker_.session_ended();
}

void Session::abort() {
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);  // cancels the pending operation, which held the last reference
}

void Session::await_input() {
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& error) { self->on_input(error); });
}

void Session::on_input(const error_code& error) {
  if (error || state_ == State::kClosed) return abort();
  const std::span<char> space = connection_.space();
  error_code failure;
  const std::size_t count = socket_.read_some(asio::buffer(space.data(), space.size()), failure);
  if (failure == asio::error::would_block) return await_input();
  if (failure) return abort();  // also the client's orderly end: half-closed clients are not served
  if (state_ == State::kLingering) return await_input();
  connection_.received(count);
  flush();
}

void Session::flush() {
  while (true) {
    const std::string& output = connection_.output();
    if (sent_ == output.size()) {
      if (sent_ > 0) {
        connection_.output().clear();
        sent_ = 0;
        if (!connection_.closing()) connection_.resume();
        if (!connection_.output().empty()) continue;
      }
      if (connection_.closing()) return linger();
      state_ = State::kReading;
      set_deadline();
      return await_input();
    }
    error_code failure;
    const std::size_t count =
        socket_.write_some(asio::buffer(output.data() + sent_, output.size() - sent_), failure);
    if (failure == asio::error::would_block) {
      if (state_ != State::kWriting || count > 0)
        deadline_ = std::chrono::steady_clock::now() + worker_.limits().write;
      state_ = State::kWriting;
      socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code& error) {
        if (error || self->state_ == State::kClosed) return self->abort();
        self->deadline_ = std::chrono::steady_clock::now() + self->worker_.limits().write;
        self->flush();
      });
      return;
    }
    if (failure) return abort();
    sent_ += count;
  }
}

// Closing at once with input unread would make the kernel send a reset, which can destroy our last answer on
// its way; so only our direction is closed, and what the client still sends is read over until it closes too.
void Session::linger() {
  state_ = State::kLingering;
  deadline_ = std::chrono::steady_clock::now() + worker_.limits().linger;
  error_code failure;
  socket_.shutdown(tcp::socket::shutdown_send, failure);
  if (failure) return abort();
  await_input();
}

void Session::set_deadline() {
  const Connection::Phase phase = connection_.phase();
  const bool busy_phase = phase != Connection::Phase::kIdle;
  if (busy_phase && phase == timed_phase_) return;  // its time runs from its beginning
  timed_phase_ = phase;
  const Limits& limits = worker_.limits();
  const milliseconds allowed = phase == Connection::Phase::kHead   ? limits.head
                               : phase == Connection::Phase::kBody ? limits.body
                                                                   : limits.idle;
  deadline_ = std::chrono::steady_clock::now() + allowed;
}

void Session::drain(SteadyTime limit) {
  if (state_ == State::kReading && idle()) deadline_ = std::min(deadline_, limit);
}

void Session::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  if (state_ != State::kReading) return abort();
  connection_.timed_out();
  // The pending wait is cancelled by abort(), or by the client's close after linger(); here only the answer
  // goes out and our direction is closed, since a second wait must not be started.
  const std::string& output = connection_.output();
  error_code failure;
  if (!output.empty()) socket_.write_some(asio::buffer(output), failure);
  if (failure || output.empty()) return abort();
  state_ = State::kLingering;
  deadline_ = now + worker_.limits().linger;
  socket_.shutdown(tcp::socket::shutdown_send, failure);
  if (failure) abort();
}

// How long handshakes under way have to come to their end when the server stops.
constexpr milliseconds kHandshakesEnd{50};

base::Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
  error_code failure;
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  const auto address = asio::ip::make_address(host, failure);
  if (failure)
    return base::fail(base::Code::kUsage, "http.bad_address",
                      base::cat("cannot listen on ", base::quoted(options.host), ": not an IP address"),
                      "use 127.0.0.1 for this machine only, 0.0.0.0 or :: for every network interface");
  return tcp::endpoint(address, options.port);
}

std::unexpected<base::Error> cannot_listen(const ServerOptions& options, const error_code& failure) {
  const std::string where = base::cat(options.host, ":", options.port);
  if (failure == asio::error::address_in_use)
    return base::fail(base::Code::kUnavailable, "http.port_in_use",
                      base::cat("cannot listen on ", where, ": another program uses the port"),
                      "stop it, or choose another port with --port (0 takes any free one)");
  return base::fail(base::Code::kUnavailable, "http.cannot_listen",
                    base::cat("cannot listen on ", where, ": ", failure.message()),
                    "check --host, and use a port of 1024 or more unless running as root");
}

}  // namespace

struct Server::State {
  State(const ServerOptions& given, tcp::endpoint at) : options(given), endpoint(at) {}
  ServerOptions options;
  tcp::endpoint endpoint;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> large_bytes{0};
  std::vector<std::unique_ptr<Worker>> workers;
  std::optional<tcp::acceptor> acceptor;           // belongs to the first worker's thread
  std::optional<asio::steady_timer> accept_again;  // after the system had no file descriptor left
  bool stopped = false;

  std::size_t open_connections() const {
    std::size_t sum = 0;
    for (const auto& worker : workers) sum += worker->open();
    return sum;
  }

  error_code listen() {
    error_code failure;
    acceptor.emplace(workers.front()->context());
    accept_again.emplace(workers.front()->context());
    acceptor->open(endpoint.protocol(), failure);
    if (!failure) acceptor->set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) acceptor->bind(endpoint, failure);
    if (!failure) acceptor->listen(4096, failure);
    if (!failure) acceptor->non_blocking(true, failure);
    if (!failure) endpoint = acceptor->local_endpoint(failure);
    return failure;
  }

  void await_connections() {
    acceptor->async_wait(tcp::acceptor::wait_read, [this](const error_code& error) {
      if (error || !acceptor->is_open()) return;
      if (accept_waiting()) return await_connections();
      accept_again->expires_after(milliseconds{50});
      accept_again->async_wait([this](const error_code& cancelled) {
        if (!cancelled && acceptor->is_open()) await_connections();
      });
    });
  }

  // Everything in the listener's queue; false when the system cannot give more now (file descriptors,
  // memory).
  bool accept_waiting() {
    while (true) {
      Worker& worker =
          **std::ranges::min_element(workers, {}, [](const auto& w) { return w->open().load(); });
      error_code failure;
      tcp::socket socket = acceptor->accept(worker.context(), failure);
      if (failure == asio::error::would_block) return true;
      if (failure == asio::error::connection_aborted) continue;  // it went away while it waited
      if (failure) return false;
      error_code ignored;
      socket.non_blocking(true, ignored);
      socket.set_option(tcp::no_delay(true), ignored);
      if (open_connections() >= options.limits.most_connections) {
        constexpr std::string_view kFull =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 32\r\n"
            "Retry-After: 1\r\nConnection: close\r\n\r\n{\"error\":\"too many connections\"}";
        socket.write_some(asio::buffer(kFull), ignored);
        continue;
      }
      ++worker.open();
      asio::post(worker.context(),
                 [&worker, taken = std::move(socket)]() mutable { worker.adopt(std::move(taken)); });
    }
  }

  // Runs `action` on the worker's thread and waits for it.
  template <class Action>
  void on_thread(Worker& worker, Action action) {
    std::mutex mutex;
    std::condition_variable done_changed;
    bool done = false;
    asio::post(worker.context(), [&] {
      action();
      const std::lock_guard lock(mutex);
      done = true;
      done_changed.notify_one();
    });
    std::unique_lock lock(mutex);
    done_changed.wait(lock, [&] { return done; });
  }

  std::size_t stop(milliseconds grace) {
    if (stopped) return 0;
    stopped = true;
    draining = true;
    on_thread(*workers.front(), [this] { drop_new_handshakes(acceptor->native_handle()); });
    std::this_thread::sleep_for(kHandshakesEnd);
    on_thread(*workers.front(), [this] {
      accept_waiting();
      error_code ignored;
      acceptor->close(ignored);
      accept_again->cancel();
    });
    for (const auto& worker : workers) asio::post(worker->context(), [&worker = *worker] { worker.drain(); });
    const auto limit = std::chrono::steady_clock::now() + grace;
    while (open_connections() > 0 && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(milliseconds{5});
    std::atomic<std::size_t> cut{0};
    if (open_connections() > 0)
      for (const auto& worker : workers)
        asio::post(worker->context(), [&cut, &worker = *worker] { cut += worker.cut(); });
    for (const auto& worker : workers) worker->join();
    return cut;
  }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  state_->stop(milliseconds{0});
}

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                    const HandlerFactory& make) {
  TRY_ASSIGN(const tcp::endpoint endpoint, endpoint_of(options));
  auto state = std::make_unique<State>(options, endpoint);
  for (unsigned i = 0; i < std::max(1u, options.threads); ++i)
    state->workers.push_back(
        std::make_unique<Worker>(state->options.limits, make(i), state->draining, state->large_bytes));
  if (const error_code failure = state->listen()) return cannot_listen(options, failure);
  state->await_connections();
  for (const auto& worker : state->workers) worker->start_thread();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::uint16_t Server::port() const {
  return state_->endpoint.port();
}
void Server::begin_drain() {
  state_->draining = true;
}
std::size_t Server::stop(milliseconds grace) {
  return state_->stop(grace);
}

}  // namespace wherry::http
