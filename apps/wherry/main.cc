#include "cli/run.h"

int main(int argc, char** argv) {
  return wherry::cli::run_main(argc, argv);
}
