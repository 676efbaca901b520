// The smallest server a pod can run, for the node's tests. VERSION is what it answers; CRASH, EAT and NOTREADY are ways
// to fail: to exit at once, to use memory without end, to answer 503 to the probes.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void leave(int s) {
  (void)s;
  _exit(0);
}

int main(void) {
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  const char* version = getenv("VERSION") ? getenv("VERSION") : "?";
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, leave);
  if (getenv("CRASH")) {
    fprintf(stderr, "loading\nno model to serve\n");
    return 3;
  }
  while (getenv("EAT")) memset(malloc(1 << 20), 1, 1 << 20);
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(s, (void*)&a, sizeof a) || listen(s, 64)) return 1;
  printf("version %s as uid %d\n", version, getuid());
  fflush(stdout);
  for (;;) {
    char in[2048], body[64], out[256];
    int f = accept(s, 0, 0);
    if (read(f, in, sizeof in) > 0) {
      snprintf(body, sizeof body, "version %s\n", version);
      int n = snprintf(out, sizeof out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                       getenv("NOTREADY") ? "503 Not Ready" : "200 OK", strlen(body), body);
      if (write(f, out, n) < 0) perror("write");
    }
    close(f);
  }
}
