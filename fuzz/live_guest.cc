// The loop over boots, and what the serial console says: `T ID` before each trace, see
// guest/init.cc.
#include "fuzz/live_guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <ranges>
#include <stdexcept>
#include <system_error>

namespace thp::live {
namespace {

using Indices = std::vector<std::size_t>;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int run_command(const std::string& command, const std::string& argument) {
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    execlp(command.c_str(), command.c_str(), "--boot-once", argument.c_str(), nullptr);
    std::perror(command.c_str());
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What follows `name` at the beginning of a line, the last such line; a serial console ends lines
// with CR LF.
std::string_view line_after(std::string_view log, std::string_view name) {
  const std::size_t at = log.rfind("\n" + std::string(name));
  if (at == log.npos) return {};
  log.remove_prefix(at + 1 + name.size());
  return log.substr(0, log.find_first_of("\r\n"));
}

class Session {
 public:
  Session(const Guest& guest, std::span<const Trace> traces) : guest_(guest), traces_(traces) {
    run_.traces.resize(traces.size());
  }

  GuestRun run() {
    for (std::size_t i = 0; i < traces_.size(); ++i) {
      if (i % guest_.batch_size == 0) batches_.emplace_back();
      batches_.back().push_back(i);
    }
    while (!batches_.empty()) {
      const Indices batch = std::move(batches_.front());
      batches_.pop_front();
      boot(batch);
    }
    return std::move(run_);
  }

 private:
  void boot(const Indices& batch) {
    std::vector<Trace> some;
    for (const std::size_t i : batch) some.push_back(traces_[i]);
    for (const char* file : {"/observed", "/serial.log"}) write_bytes(guest_.work + file, {});
    write_bytes(guest_.work + "/batch", batch_of(some));
    ++run_.boots;
    if (const int status = run_command(guest_.boot, guest_.work); status != 0)
      throw std::runtime_error(fmt::format("{}: exit status {}", guest_.boot, status));
    ObservedBatch observed =
        read_observations(MappedFile(guest_.work + "/observed").bytes(), batch.size());
    const std::string log = read_bytes(guest_.work + "/serial.log");
    read_log(log);
    std::vector<Complaint> complaints = complaints_in(log);
    const std::size_t done = take(batch, observed);
    if (done < batch.size()) died(batch, done, observed.error, complaints);
    for (Complaint& complaint : complaints) {
      complaint.trace = batch[std::min(complaint.trace, batch.size() - 1)];
      run_.complaints.push_back(std::move(complaint));
    }
    if (guest_.progress) guest_.progress(done_, traces_.size());
  }

  void read_log(std::string_view log) {
    if (!log.contains("\nT ") && !log.contains("\nDONE "))
      throw std::runtime_error(fmt::format("the guest does not come up{}{}: see {}/serial.log",
                                           log.contains("\nFAIL ") ? ": " : "",
                                           line_after(log, "FAIL "), guest_.work));
    if (const std::string_view kernel = line_after(log, "VERSION "); !kernel.empty())
      run_.kernel = kernel;
    const std::string_view seconds = line_after(log, "DONE ");
    if (const std::size_t last = seconds.find_last_of(' '); last != seconds.npos)
      run_.seconds += std::strtod(std::string(seconds.substr(last)).c_str(), nullptr);
  }

  // Keeps what is complete, from the front; how many those are.
  std::size_t take(const Indices& batch, ObservedBatch& observed) {
    std::size_t done = 0;
    for (; done < batch.size(); ++done) {
      Observed& seen = observed.traces[done];
      if (!seen.refused && seen.ops.size() < traces_[batch[done]].ops.size()) break;
      run_.traces[batch[done]] = std::move(seen);
    }
    done_ += done;
    if (done < batch.size()) run_.traces[batch[done]] = std::move(observed.traces[done]);
    return done;
  }

  // What was not written down is done again, but not the trace that the guest died of: the one it
  // named last, or the first of a batch that got nowhere.
  void died(const Indices& batch, std::size_t done, const std::string& error,
            std::vector<Complaint>& complaints) {
    const bool named = !complaints.empty() && complaints.back().trace == done;
    std::size_t next = done;
    if (named || done == 0) {
      if (!named) complaints.push_back({done, error});
      ++next;
      ++done_;
    }
    if (next < batch.size())
      batches_.emplace_front(batch.begin() + std::ptrdiff_t(next), batch.end());
  }

  const Guest& guest_;
  std::span<const Trace> traces_;
  std::deque<Indices> batches_;
  GuestRun run_;
  std::size_t done_ = 0;
};

constexpr std::array<std::string_view, 11> kComplaints = {
    "WARNING:", "BUG:",  "kernel BUG at", "Oops",         "general protection fault",
    "Bad ",     "rcu: ", "HANG ",         "Kernel panic", "hung task",
    "FAIL "};
constexpr int kLinesAfter = 30;

}  // namespace

GuestRun run_traces(const Guest& guest, std::span<const Trace> traces) {
  return Session(guest, traces).run();
}

std::vector<Complaint> complaints_in(std::string_view log) {
  std::vector<Complaint> complaints;
  std::size_t trace = 0;
  int more = 0;
  for (const auto part : std::views::split(log, '\n')) {
    const std::string_view line(part.begin(), part.end());
    if (line.starts_with("T ")) {
      trace = std::strtoul(std::string(line.substr(2)).c_str(), nullptr, 10);
      more = 0;
    }
    const bool tells = std::ranges::any_of(kComplaints, [&](auto w) { return line.contains(w); });
    if (tells && more <= 0) complaints.push_back({trace, {}});
    if (tells) more = kLinesAfter;
    if (more-- > 0) (complaints.back().log += line) += '\n';
  }
  return complaints;
}

MappedFile::MappedFile(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) fail(file);
  size_ = std::size_t(status.st_size);
  if (size_ != 0) start_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (start_ == MAP_FAILED) fail(file);
}

MappedFile::~MappedFile() {
  if (size_ != 0) munmap(start_, size_);
}

std::string read_bytes(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(file);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) fail(file);
  return bytes;
}

void write_bytes(const std::string& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!(out << bytes << std::flush)) fail(file);
}

}  // namespace thp::live
