// Traces through a guest: batches, boots, and what is left to do where one of them kills it.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/trace/trace.h"
#include "oracle/live/batch.h"

namespace thp::live {

// What a kernel said besides answering: a panic, a hang, a warning.
struct Complaint {
  std::size_t trace = 0;  // index
  std::string log;        // the telling lines of the serial console
};

struct GuestRun {
  std::vector<Observed> traces;  // one for each
  std::vector<Complaint> complaints;
  int boots = 0;
  double seconds = 0;  // that guests say they took over traces
  std::string kernel;  // its build, as /proc/version tells it
};

struct Guest {
  // A command that boots the guest once: it is called with a directory, which holds `batch`, and
  // leaves `observed` and `serial.log` there.
  std::string boot;
  std::string work;  // that directory
  std::size_t batch_size = 1000;
  std::function<void(std::size_t done, std::size_t all)> progress;
};

// Throws std::runtime_error if the guest does not come up, and std::system_error.
GuestRun run_traces(const Guest& guest, std::span<const Trace> traces);

// What a serial log tells of things gone wrong, by the trace that ran: their lines and some more.
std::vector<Complaint> complaints_in(std::string_view log);

// The bytes of a file that may be large and mostly empty.
class MappedFile {
 public:
  explicit MappedFile(const std::string& file);  // std::system_error where it cannot be read
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(start_), size_}; }

 private:
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

// Whole files, for everybody here. std::system_error where they cannot be read or written.
std::string read_bytes(const std::string& file);
void write_bytes(const std::string& file, std::string_view bytes);

}  // namespace thp::live
