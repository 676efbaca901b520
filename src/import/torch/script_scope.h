// The frame that is active while a function of interpreted source runs. Private to the interpreter.
#pragma once

#include <memory>

#include "import/torch/script_interpreter.h"

namespace wherry::torch {

// Makes `frame` the active one for as long as this lives. `nested`: the variables of the one before stay
// visible, as in a comprehension.
struct FrameScope {
  FrameScope(Interpreter& interpreter, std::shared_ptr<Frame> frame, bool nested = false)
      : in(interpreter), before(interpreter.frame_), place(interpreter.at_) {
    if (nested) frame->outer = before;
    in.frames_.push_back(frame.get());
    in.frame_ = std::move(frame);
  }
  ~FrameScope() {
    in.frames_.pop_back();
    in.frame_ = before;
    in.at_ = place;
  }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

  Interpreter& in;
  std::shared_ptr<Frame> before;
  python::Position place;
};

}  // namespace wherry::torch
