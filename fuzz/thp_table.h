// A table that a command prints: plain for people, Markdown for pages, JSON for machines.
#pragma once
#include <string>
#include <vector>

namespace thp {

enum class Form { plain, markdown, json };

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t code = 1;  // so many columns stand as code in Markdown
};

// Plain: columns below each other, or, where a row would be too wide, a paragraph for each row.
// JSON: an object a line, named as the columns.
std::string text(const Table& table, Form form);

}  // namespace thp
