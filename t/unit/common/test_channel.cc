#include "common/wire/channel.h"
#include "common/wire/line_codec.h"
#include "t/fixture/basics.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <sys/stat.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_channel)

namespace {

FdPair pair_of_sockets() {
    auto pair = make_seqpacket_pair();
    BOOST_TEST_REQUIRE(static_cast<bool>(pair));
    return std::move(*pair);
}

FdPair pipe_pair() {
    auto pair = make_pipe();
    BOOST_TEST_REQUIRE(static_cast<bool>(pair));
    return std::move(*pair);
}

// The line of the next packet, which must be there within two seconds.
Packet next_packet(int socket) {
    auto packet = receive_packet(socket, 2s);
    BOOST_TEST_REQUIRE(static_cast<bool>(packet));
    BOOST_TEST_REQUIRE(packet->has_value());
    return std::move(**packet);
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Sends a line with several descriptors, which send_packet() never does.
void send_with_descriptors(int socket, const std::vector<int>& fds) {
    char text[] = "track pid=2 start=1\n";
    iovec data{text, sizeof text - 1};
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    BOOST_TEST_REQUIRE(::sendmsg(socket, &message, 0) > 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(packets_arrive_one_by_one_in_order_and_without_newline) {
    const FdPair ends = pair_of_sockets();
    for (const char* line : {"one\n", "two\n", "three"})
        BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), line)));
    BOOST_TEST(next_packet(ends.second.get()).line == "one");
    BOOST_TEST(next_packet(ends.second.get()).line == "two");
    const Packet third = next_packet(ends.second.get());
    BOOST_TEST(third.line == "three");
    BOOST_TEST(!third.attached);
}

BOOST_AUTO_TEST_CASE(a_descriptor_arrives_with_its_line_and_is_close_on_exec) {
    const TempDir dir;
    const UniqueFd file(::open(dir.write("stat", "content").c_str(), O_RDONLY | O_CLOEXEC));
    const FdPair ends = pair_of_sockets();
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), "plain\n")));
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), "track\n", file.get())));
    BOOST_TEST(!next_packet(ends.second.get()).attached);
    const Packet packet = next_packet(ends.second.get());
    BOOST_TEST(packet.line == "track");
    BOOST_TEST_REQUIRE(static_cast<bool>(packet.attached));
    std::array<char, 16> text{};
    BOOST_TEST(::pread(packet.attached.get(), text.data(), text.size(), 0) == 7);
    BOOST_TEST(text.data() == "content");
    BOOST_TEST((::fcntl(packet.attached.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(more_than_one_descriptor_is_refused_and_none_stays_open) {
    const FdPair ends = pair_of_sockets();
    const FdPair some = pipe_pair();
    for (const std::size_t count : {2u, 3u, 10u}) {
        const std::size_t before = open_descriptors();
        send_with_descriptors(ends.first.get(), std::vector<int>(count, some.first.get()));
        const auto packet = receive_packet(ends.second.get(), 2s);
        BOOST_TEST_REQUIRE(!packet);
        BOOST_TEST(packet.error().code == EMSGSIZE);
        BOOST_TEST(open_descriptors() == before, count << " descriptors were sent");
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_the_peer_is_seen_after_what_it_had_sent) {
    FdPair ends = pair_of_sockets();
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), "last\n")));
    ends.first.reset();
    BOOST_TEST(next_packet(ends.second.get()).line == "last");
    for (int again = 0; again < 2; ++again) {
        const auto packet = receive_packet(ends.second.get(), 2s);
        BOOST_TEST_REQUIRE(static_cast<bool>(packet));
        BOOST_TEST(!packet->has_value());
    }
}

BOOST_AUTO_TEST_CASE(waiting_ends_at_the_limit_and_not_before) {
    const FdPair ends = pair_of_sockets();
    const auto begin = std::chrono::steady_clock::now();
    const auto packet = receive_packet(ends.second.get(), 150ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST_REQUIRE(!packet);
    BOOST_TEST(packet.error().code == ETIMEDOUT);
    BOOST_TEST((took >= 150ms));
    BOOST_TEST((took < 5s));
}

BOOST_AUTO_TEST_CASE(a_packet_that_comes_while_waiting_is_received) {
    const FdPair ends = pair_of_sockets();
    std::thread sender([&] {
        std::this_thread::sleep_for(50ms);
        (void)send_packet(ends.first.get(), "late\n");
    });
    const auto packet = receive_packet(ends.second.get(), -1ms);
    sender.join();
    BOOST_TEST_REQUIRE(static_cast<bool>(packet));
    BOOST_TEST_REQUIRE(packet->has_value());
    BOOST_TEST((*packet)->line == "late");
}

BOOST_AUTO_TEST_CASE(not_to_wait_gives_eagain) {
    const FdPair ends = pair_of_sockets();
    const auto packet = receive_packet_now(ends.second.get());
    BOOST_TEST_REQUIRE(!packet);
    BOOST_TEST(packet.error().code == EAGAIN);
}

BOOST_AUTO_TEST_CASE(a_packet_longer_than_a_line_is_refused_and_the_next_one_is_not) {
    const FdPair ends = pair_of_sockets();
    const std::string longest(kMaxLine - 1, 'x');
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), std::string(kMaxLine + 1, 'x'))));
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), longest + '\n')));
    const auto refused = receive_packet(ends.second.get(), 2s);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == EMSGSIZE);
    BOOST_TEST(next_packet(ends.second.get()).line == longest);
}

BOOST_AUTO_TEST_CASE(an_empty_line_is_not_sent_because_it_would_read_as_the_end) {
    const FdPair ends = pair_of_sockets();
    const auto sent = send_packet(ends.first.get(), "");
    BOOST_TEST_REQUIRE(!sent);
    BOOST_TEST(sent.error().code == EMSGSIZE);
    BOOST_TEST(receive_packet_now(ends.second.get()).error().code == EAGAIN);
}

BOOST_AUTO_TEST_CASE(sending_to_a_peer_that_does_not_read_never_waits) {
    const FdPair ends = pair_of_sockets();
    int sent = 0;
    Result<void> result;
    while (sent < 100'000 && (result = send_packet(ends.first.get(), "line\n")))
        ++sent;
    BOOST_TEST_REQUIRE(!result);
    BOOST_TEST(result.error().code == EAGAIN);
    BOOST_TEST(sent > 0);
    for (int i = 0; i < sent; ++i)
        BOOST_TEST_REQUIRE(next_packet(ends.second.get()).line == "line");
    BOOST_TEST(static_cast<bool>(send_packet(ends.first.get(), "line\n")));
}

BOOST_AUTO_TEST_CASE(sending_to_a_peer_that_is_gone_is_an_error_not_a_signal) {
    FdPair ends = pair_of_sockets();
    ends.second.reset();
    const auto sent = send_packet(ends.first.get(), "line\n");
    BOOST_TEST_REQUIRE(!sent);
    BOOST_TEST(sent.error().code == EPIPE);
}

BOOST_AUTO_TEST_CASE(a_line_is_written_whole_also_to_a_full_pipe) {
    FdPair ends = pipe_pair();
    BOOST_TEST_REQUIRE(::fcntl(ends.second.get(), F_SETPIPE_SZ, 4096) >= 4096);
    const std::string line = std::string(4095, 'x') + '\n';
    std::string received;
    std::thread reader([&] {
        std::array<char, 1000> piece;
        for (ssize_t n; (n = ::read(ends.first.get(), piece.data(), piece.size())) > 0;)
            received.append(piece.data(), static_cast<std::size_t>(n));
    });
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(static_cast<bool>(write_line(ends.second.get(), line)));
    ends.second.reset();
    reader.join();
    BOOST_TEST(received.size() == 20 * line.size());
}

BOOST_AUTO_TEST_CASE(writing_a_line_that_nobody_reads_is_an_error) {
    FdPair ends = pipe_pair();
    ends.first.reset();
    const auto old = ::signal(SIGPIPE, SIG_IGN);
    const auto written = write_line(ends.second.get(), "line\n");
    ::signal(SIGPIPE, old);
    BOOST_TEST_REQUIRE(!written);
    BOOST_TEST(written.error().code == EPIPE);
}

BOOST_AUTO_TEST_SUITE_END()
