/* Serves one folder over HTTP/1.1 and limits the rate of every connection, as a store across a network does. (nginx's limit_rate starts again
 * with each request, so it does not limit range requests.)
 *
 *   cc -O2 -pthread paced.c -o paced && ./paced FOLDER PORT BYTES_PER_SECOND
 *
 * GET and HEAD on 127.0.0.1, keep-alive, one range per request (206 with Content-Range, 416), a strong ETag of length and time, If-Match
 * (412). Each connection has a thread; the kernel does the pacing (SO_MAX_PACING_RATE) and the copying (sendfile). For the loopback only.
 * The program ends when its standard input ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REQUEST = 16 << 10 };

static const char *folder;
static uint64_t rate;

static int send_all(int to, const char *text, size_t length, int more) {
    for (size_t done = 0; done < length;) {
        ssize_t sent = send(to, text + done, length - done, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        if (sent <= 0) return -1;
        done += sent;
    }
    return 0;
}

static int send_error(int to, const char *status, const char *fields) {
    char text[512];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n", status, fields);
    return send_all(to, text, length, 0);
}

/* Returns the value of a field, which ends at the \r of its line, or NULL. */
static const char *field(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            const char *value = line + 3 + length;
            while (*value == ' ') value++;
            return value;
        }
    }
    return NULL;
}

static int send_file(int to, int file, const struct stat *facts, const char *head, int body) {
    char tag[64], fields[256];
    int64_t length = facts->st_size, first = 0, last = length - 1;
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "\"", (int64_t)facts->st_mtim.tv_sec, length);
    const char *match = field(head, "If-Match");
    if (match && strncmp(match, tag, strlen(tag)) != 0 && *match != '*') return send_error(to, "412 Precondition Failed", "");

    const char *range = field(head, "Range");
    int partial = range && sscanf(range, "bytes=%" SCNd64 "-%" SCNd64, &first, &last) >= 1;
    if (partial && last >= length) last = length - 1;
    if (partial && (first < 0 || first > last)) {
        snprintf(fields, sizeof fields, "Content-Range: bytes */%" PRId64 "\r\n", length);
        return send_error(to, "416 Range Not Satisfiable", fields);
    }

    char response[1024];
    fields[0] = 0;
    if (partial) snprintf(fields, sizeof fields, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n", first, last, length);
    int size = snprintf(response, sizeof response,
        "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n"
        "ETag: %s\r\n%sContent-Length: %" PRId64 "\r\n\r\n",
        partial ? "206 Partial Content" : "200 OK", tag, fields, last - first + 1);
    if (send_all(to, response, size, body) != 0) return -1;
    for (off_t at = first; body && at <= last;) {
        if (sendfile(to, file, &at, last + 1 - at) <= 0) return -1;
    }
    return 0;
}

static int respond(int to, const char *head) {
    char path[1024], full[2048];
    int is_head = strncmp(head, "HEAD ", 5) == 0;
    if (!is_head && strncmp(head, "GET ", 4) != 0) return send_error(to, "405 Method Not Allowed", "");
    if (sscanf(head + (is_head ? 5 : 4), "/%1000[^ ?]", path) != 1 || strstr(path, "..")) return send_error(to, "404 Not Found", "");
    snprintf(full, sizeof full, "%s/%s", folder, path);
    struct stat facts;
    int file = open(full, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        if (file >= 0) close(file);
        return send_error(to, "404 Not Found", "");
    }
    int result = send_file(to, file, &facts, head, !is_head);
    close(file);
    return result;
}

static void *serve(void *argument) {
    int connection = (int)(intptr_t)argument;
    char request[REQUEST + 1];
    size_t filled = 0;
    for (;;) {
        request[filled] = 0;
        char *end = strstr(request, "\r\n\r\n");
        if (end) {
            size_t length = end + 4 - request;
            char after = request[length];
            request[length] = 0;
            if (respond(connection, request) != 0) break;
            request[length] = after;
            memmove(request, request + length, filled - length);
            filled -= length;
            continue;
        }
        ssize_t got = filled == REQUEST ? 0 : recv(connection, request + filled, REQUEST - filled, 0);
        if (got <= 0) break;
        filled += got;
    }
    close(connection);
    return NULL;
}

/* The parent process holds the other end of the standard input, so this program never outlives its parent. */
static void *wait_for_the_end(void *unused) {
    char byte;
    (void)unused;
    while (read(0, &byte, 1) > 0) {
    }
    exit(0);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "paced FOLDER PORT BYTES_PER_SECOND\n");
        return 2;
    }
    folder = argv[1];
    rate = strtoull(argv[3], NULL, 10);
    signal(SIGPIPE, SIG_IGN);
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 512) != 0) {
        perror("paced");
        return 1;
    }
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    pthread_t waiting;
    pthread_create(&waiting, &small, wait_for_the_end, NULL);
    for (;;) {
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0) continue;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (rate > 0 && setsockopt(connection, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate) != 0) perror("SO_MAX_PACING_RATE");
        pthread_t thread;
        if (pthread_create(&thread, &small, serve, (void *)(intptr_t)connection) != 0) close(connection);
    }
}
