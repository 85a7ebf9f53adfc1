/* How many calls the reference server can answer: many connections, each with one request under way, over epoll.
 *
 * Usage: ceiling PORT CALLS CONNECTIONS. Prints calls per second. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static const char REQUEST[] =
    "POST /v3/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/instances/00000000000000000000000000000000in07/proxy/"
    "00000000000000000000000000000000po01/upgrade-version HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: t\r\n"
    "Content-Length: 64\r\n\r\n{\"source_version\":\"2.23.12.000\",\"target_version\":\"2.24.03.000\"} ";

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void ask(int fd) {
    if (write(fd, REQUEST, sizeof REQUEST - 1) != sizeof REQUEST - 1) exit(1);
}

int main(int count, char **words) {
    if (count < 4) return 2;
    int calls = atoi(words[2]), connections = atoi(words[3]), poller = epoll_create1(0), sent = 0, got = 0, one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((unsigned short)atoi(words[1]));
    double began = now();
    for (; sent < connections; sent++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(fd, (struct sockaddr *)&to, sizeof to)) return 1;
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        ask(fd);
    }
    while (got < calls) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, -1);
        for (int i = 0; i < ready; i++, got++) {
            char answer[2048]; /* an answer is written in one piece, and is smaller */
            if (read(events[i].data.fd, answer, sizeof answer) <= 0) return 1;
            if (sent < calls) ask(events[i].data.fd), sent++;
        }
    }
    printf("%f\n", (double)calls / (now() - began));
    return 0;
}
