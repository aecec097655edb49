// main() where libFuzzer is not linked: one call of the target for each file, and for each file
// below each directory.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t);

namespace {

int replayed = 0;

bool replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) {
    std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
    return false;
  }
  // A copy of just the size, as libFuzzer does: a read past its end is then seen.
  bytes.shrink_to_fit();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  ++replayed;
  return true;
}

bool replay_below(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return replay(path);
  bool ok = true;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) ok = replay(entry.path()) && ok;
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  bool ok = true;
  for (int i = 1; i < argc; ++i) ok = replay_below(argv[i]) && ok;
  std::fprintf(stderr, "%d inputs replayed\n", replayed);
  return ok ? 0 : 1;
}
