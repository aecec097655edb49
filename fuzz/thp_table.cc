// One table, three forms.
#include "fuzz/thp_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace thp {
namespace {

constexpr std::size_t kWidest = 160;  // characters of a row; a wider one is a paragraph

std::string cell_of_page(const std::string& cell, bool code) {
  if (cell.empty()) return cell;
  std::string text = code ? "`" : "";
  for (const char c : cell) (text += c == '|' ? "\\" : "") += c;
  return code ? text + '`' : text;
}

std::string markdown(const Table& table) {
  std::string out = fmt::format("| {} |\n", fmt::join(table.columns, " | "));
  for (std::size_t i = 0; i < table.columns.size(); ++i) out += "|---";
  out += "|\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      out += fmt::format("| {} ", cell_of_page(row[i], i < table.code));
    out += "|\n";
  }
  return out;
}

std::string json(const Table& table) {
  std::string out;
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object;
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i]] = row[i];
    out += object.dump() + '\n';
  }
  return out;
}

// The last column is as wide as it is.
std::string below_each_other(const Table& table, const std::vector<std::size_t>& widths) {
  std::string out;
  const auto append = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      out += fmt::format("{:{}}  ", row[i], widths[i]);
    out += row.back() + '\n';
  };
  append(table.columns);
  for (const auto& row : table.rows) append(row);
  return out;
}

std::string paragraphs(const Table& table) {
  std::string out;
  for (const auto& row : table.rows) {
    out += row[0] + '\n';
    for (std::size_t i = 1; i < row.size(); ++i)
      if (!row[i].empty()) out += fmt::format("    {}: {}\n", table.columns[i], row[i]);
  }
  return out;
}

std::string plain(const Table& table) {
  std::vector<std::size_t> widths(table.columns.size());
  const auto widen = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  widen(table.columns);
  for (const auto& row : table.rows) widen(row);
  std::size_t width = 0;
  for (const std::size_t of_column : widths) width += of_column + 2;
  return width <= kWidest ? below_each_other(table, widths) : paragraphs(table);
}

}  // namespace

std::string text(const Table& table, Form form) {
  return form == Form::markdown ? markdown(table) : form == Form::json ? json(table) : plain(table);
}

}  // namespace thp
