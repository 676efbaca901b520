// Work for an I/O thread from other threads. Internal to module http.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace wherry::http {

// Thread-safe. Shared by the thread which runs it and by whoever posts to it, who may live longer.
class Inbox {
 public:
  Inbox();
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  int file() const { return file_; }  // readable while work waits (eventfd); -1: could not be had

  // False: closed, the work is dropped.
  bool post(std::function<void()> work);
  void run();    // what has been posted so far, in order; its thread only
  void close();  // drops what waits

 private:
  int file_;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace wherry::http
