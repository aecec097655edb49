// Compiled again at each commit: nothing else includes the generated header.
#include "properties/version.h"

#include <thp_version.h>  // generated

namespace thp {

std::string_view version() { return "thp " THP_COMMIT ", a model of Linux 6.1.192"; }

}  // namespace thp
