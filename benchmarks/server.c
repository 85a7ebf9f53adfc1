/* A cloud that costs next to nothing: the API's fixed answers, computed from the URL, over epoll in one thread.
 *
 * Usage: server [LATENCY_MS [PORT]]. Prints its port. On SIGTERM prints, as JSON, how many requests it saw, over how
 * many seconds, the most in any one-second window, the most connections that were open at once, and the monotonic
 * instant of the first request.
 *
 * It is a reference, not a server: it reads only what these benchmarks send, and one answer is always the same for one URL.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 65536, BUFFER = 8192, ANSWER = 1024 };

typedef struct {
    uint32_t generation; /* counts the connections that had this number, so that a late answer never goes to a stranger */
    size_t used;
    char *data;
} Connection;

typedef struct {
    uint64_t due;
    int fd;
    uint32_t generation;
    size_t length;
    char answer[ANSWER];
} Pending;

static Connection connections[MAX_FD];
static uint64_t *arrivals;
static size_t arrived, arrivals_room;
static Pending *queue; /* first in, first out: all answers wait equally long */
static size_t head, tail, queue_room;
static uint64_t latency_ns;
static int open_now, open_most, poller, timer;
static char date[64];

static uint64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void *grown(void *old, size_t *room, size_t size) {
    *room = *room ? *room * 2 : 4096;
    void *grown_to = realloc(old, *room * size);
    if (!grown_to) abort();
    return grown_to;
}

static void refresh_date(void) {
    static time_t last;
    time_t now = time(NULL);
    if (now == last) return;
    last = now;
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

/* The workflow of a proxy: its 32 hexadecimal digits in the form of a UUID. */
static void workflow_of(const char *proxy, char *out) {
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", proxy, proxy + 8, proxy + 12, proxy + 16, proxy + 20);
}

static size_t answer_to(const char *request, char *out) {
    char body[512], workflow[37] = "";
    const char *line_end = strstr(request, "\r\n");
    const char *proxy = strstr(request, "/proxy/");
    int names_proxy = proxy && proxy < line_end && strspn(proxy + 7, "0123456789abcdef") == 32;
    if (request[0] == 'P' && names_proxy) {
        workflow_of(proxy + 7, workflow);
        snprintf(body, sizeof body,
                 "{\"update_result\":[{\"workflow_id\":\"%s\",\"state\":\"ACCEPT\",\"error_message\":null}]}", workflow);
    } else if (names_proxy) {
        strcpy(body, "{\"current_version\":\"2.23.12.000\",\"latest_version\":\"2.24.03.000\",\"can_upgrade\":true}");
    } else {
        strcpy(body, "{\"jobs\":[],\"total_count\":0,\"action_names\":[]}");
    }
    return (size_t)snprintf(out, ANSWER,
                            "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\nX-Request-Id: %016zx%016zx\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            date, arrived, arrived, strlen(body), body);
}

static void set_timer(uint64_t due) {
    struct itimerspec at = {{0, 0}, {(time_t)(due / 1000000000u), (long)(due % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void later(int fd, const char *answer, size_t length) {
    if (tail == queue_room) {
        if (head) {
            memmove(queue, queue + head, (tail - head) * sizeof *queue);
            tail -= head;
            head = 0;
        } else {
            queue = grown(queue, &queue_room, sizeof *queue);
        }
    }
    Pending *each = &queue[tail++];
    each->due = now_ns() + latency_ns;
    each->fd = fd;
    each->generation = connections[fd].generation;
    each->length = length;
    memcpy(each->answer, answer, length);
    if (tail - head == 1) set_timer(each->due);
}

static void answer_due(void) {
    uint64_t fired, now = now_ns();
    if (read(timer, &fired, sizeof fired) < 0 && errno != EAGAIN) abort();
    while (head < tail && queue[head].due <= now) {
        Pending *each = &queue[head++];
        if (connections[each->fd].generation == each->generation && write(each->fd, each->answer, each->length) < 0) continue;
    }
    if (head < tail) set_timer(queue[head].due);
}

static void hang_up(int fd) {
    connections[fd].generation++;
    connections[fd].used = 0;
    open_now--;
    close(fd);
}

/* Answer every whole request that lies in the buffer. */
static void serve(int fd) {
    Connection *each = &connections[fd];
    char answer[ANSWER], *end;
    while ((end = memmem(each->data, each->used, "\r\n\r\n", 4))) {
        size_t body = 0;
        *end = 0;
        const char *length = strcasestr(each->data, "\r\ncontent-length:");
        if (length) body = strtoul(length + 17, NULL, 10);
        *end = '\r';
        size_t whole = (size_t)(end - each->data) + 4 + body;
        if (each->used < whole) return;
        if (arrived == arrivals_room) arrivals = grown(arrivals, &arrivals_room, sizeof *arrivals);
        arrivals[arrived++] = now_ns();
        size_t size = answer_to(each->data, answer);
        if (latency_ns)
            later(fd, answer, size);
        else if (write(fd, answer, size) < 0)
            return;
        memmove(each->data, each->data + whole, each->used - whole);
        each->used -= whole;
        each->data[each->used] = 0;
    }
}

static void receive(int fd) {
    Connection *each = &connections[fd];
    ssize_t got = read(fd, each->data + each->used, BUFFER - 1 - each->used);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        hang_up(fd);
        return;
    }
    each->used += (size_t)got;
    each->data[each->used] = 0;
    serve(fd);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void welcome(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < MAX_FD) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!connections[fd].data) connections[fd].data = malloc(BUFFER);
        connections[fd].used = 0;
        if (++open_now > open_most) open_most = open_now;
        watch(fd);
    }
}

static void report(void) {
    size_t most = 0, first = 0;
    for (size_t last = 0; last < arrived; last++) {
        while (arrivals[last] - arrivals[first] >= 1000000000u) first++;
        if (last - first + 1 > most) most = last - first + 1;
    }
    double seconds = arrived > 1 ? (double)(arrivals[arrived - 1] - arrivals[0]) / 1e9 : 0;
    printf("{\"calls\": %zu, \"seconds\": %.6f, \"worst_second\": %zu, \"connections\": %d, \"first\": %.6f}\n",
           arrived, seconds, most, open_most, arrived ? (double)arrivals[0] / 1e9 : 0);
}

static int listening(unsigned short port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) return -1;
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **words) {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    latency_ns = count > 1 ? (uint64_t)(atof(words[1]) * 1e6) : 0;
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int listener = listening(count > 2 ? (unsigned short)atoi(words[2]) : 0), stopped = signalfd(-1, &stop, SFD_NONBLOCK);
    if (listener < 0) return 1;
    watch(listener), watch(stopped), watch(timer);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 1000);
        refresh_date();
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == stopped) {
                report();
                return 0;
            }
            if (fd == listener)
                welcome(fd);
            else if (fd == timer)
                answer_due();
            else
                receive(fd);
        }
    }
}
