#include "serve/server_main.h"

int main(int argc, char** argv) {
  return wherry::serve::run_server(argc, argv);
}
