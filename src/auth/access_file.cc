#include "auth/access_file.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/text.h"

namespace wherry::auth {

using base::cat;
using base::Status;

namespace {

constexpr std::size_t kMostLines = 50'000;
constexpr std::size_t kMostModels = 256;  // globs of one line

struct Word {
  std::string_view text;
  std::string_view name, value;  // around the first '='; value has no data() where there is none
};

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  constexpr std::string_view kSpace = " \t\r";
  for (std::size_t i = line.find_first_not_of(kSpace); i < line.size();) {
    const std::size_t end = std::min(line.find_first_of(kSpace, i), line.size());
    Word word{line.substr(i, end - i), {}, {}};
    if (word.text.starts_with('#')) break;
    const std::size_t equals = word.text.find('=');
    word.name = word.text.substr(0, equals);
    if (equals != word.text.npos) word.value = word.text.substr(equals + 1);
    words.push_back(word);
    i = line.find_first_not_of(kSpace, end);
  }
  return words;
}

struct Attributes {
  Rule rule;
  Rate rate;
  std::string models_claim;
  std::optional<std::chrono::system_clock::time_point> ends;
  bool models_given = false;
};

// Each returns what the value should have been, or "" when it was taken.
std::string_view set_permissions(Attributes& to, std::string_view value) {
  constexpr std::string_view kWanted =
      "some of predict, metadata, metrics, manage, debug, separated by commas, or all";
  if (value == "all") {
    to.rule.permissions = PermissionSet::all();
    return "";
  }
  for (const std::string_view part : base::split(value, ',')) {
    const auto permission = find_permission(part);
    if (!permission) return kWanted;
    to.rule.permissions.add(*permission);
  }
  return "";
}

std::string_view set_models(Attributes& to, std::string_view value) {
  constexpr std::string_view kClaim = "claim:";
  constexpr std::string_view kWanted = "names or globs of models, separated by commas";
  to.models_given = true;
  if (value.starts_with(kClaim)) {
    to.models_claim = value.substr(kClaim.size());
    return to.models_claim.empty() ? "claim:NAME, the claim which lists the models" : "";
  }
  for (const std::string_view part : base::split(value, ',')) {
    if (part.empty() || to.rule.models.size() == kMostModels) return kWanted;
    to.rule.models.emplace_back(part);
  }
  return "";
}

std::optional<double> number_from_one(std::string_view text, double most) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 1 && number <= most)) return std::nullopt;
  return number;
}

std::string_view set_rate(Attributes& to, std::string_view value) {
  constexpr std::string_view kWanted = "a rate such as 100/s, 30/m or 1000/h";
  const std::size_t slash = value.find('/');
  if (slash == value.npos) return kWanted;
  const std::string_view unit = value.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const auto number = number_from_one(value.substr(0, slash), 1e6);
  if (seconds == 0 || !number) return kWanted;
  to.rate.per_second = *number / seconds;
  if (to.rate.burst == 0) to.rate.burst = std::max(1.0, to.rate.per_second);
  return "";
}

std::string_view set_burst(Attributes& to, std::string_view value) {
  const auto number = number_from_one(value, 1e6);
  if (!number) return "a number of requests, 1 to a million";
  to.rate.burst = *number;
  return "";
}

std::string_view set_expires(Attributes& to, std::string_view value) {
  constexpr std::string_view kWanted = "a day such as 2027-01-31";
  const auto parts = base::split(value, '-');
  if (value.size() != 10 || parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2) return kWanted;
  const auto year = base::parse_unsigned(parts[0]), month = base::parse_unsigned(parts[1]),
             day = base::parse_unsigned(parts[2]);
  if (!year || !month || !day) return kWanted;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // Within what system_clock's nanoseconds can say.
  if (!date.ok() || *year < 2000 || *year > 2200) return kWanted;
  to.ends = std::chrono::sys_days(date) + std::chrono::days(1);
  return "";
}

struct Attribute {
  std::string_view name;
  std::string_view kinds;  // first letters of the kinds of line that take it
  std::string_view (*set)(Attributes&, std::string_view);
};
constexpr Attribute kAttributes[] = {
    {"permissions", "ktca", set_permissions},
    {"models", "ktca", set_models},
    {"rate", "ktca", set_rate},
    {"burst", "ktca", set_burst},
    {"expires", "k", set_expires},
};

std::optional<Hash> parse_hash(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  Hash hash{};
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 2 * hash.size()) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const char* digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, hash[i], 16).ptr != digits + 2) return std::nullopt;
  }
  return hash;
}

class Parser {
 public:
  explicit Parser(std::string_view what) : what_(what) {}

  Status line(std::size_t number, std::string_view text) {
    number_ = number;
    const std::vector<Word> words = words_of(text);
    if (words.empty()) return {};
    const std::string_view kind = words[0].text;
    const std::size_t subject = kind == "key" ? 3 : kind == "token" || kind == "certificate" ? 2 : 1;
    if (kind != "key" && kind != "token" && kind != "certificate" && kind != "anyone")
      return bad("a line begins with key, token, certificate or anyone");
    if (words.size() < subject)
      return bad(kind == "key" ? "behind \"key\" come its name and sha256:HEX"
                               : "behind the first word comes whom the line is about");
    Attributes attributes;
    TRY(read_attributes(kind, std::span(words).subspan(subject), attributes));
    if (attributes.rule.permissions.bits == 0) return bad("the line has no permissions=…");
    if (!attributes.models_given) attributes.rule.models.emplace_back("*");
    if (kind == "key") return key(words, std::move(attributes));
    if (kind == "token") return token(words[1], std::move(attributes));
    if (kind == "certificate") {
      file_.certificates.push_back({std::string(words[1].text), std::move(attributes.rule), attributes.rate});
      return {};
    }
    if (file_.anyone) return bad("there is a second line \"anyone\"");
    if (attributes.rule.permissions.has(Permission::kManage) ||
        attributes.rule.permissions.has(Permission::kDebug))
      return bad("\"anyone\" cannot have the permissions manage and debug");
    file_.anyone = std::move(attributes.rule);
    file_.anyone_rate = attributes.rate;
    return {};
  }

  AccessFile take() { return std::move(file_); }

 private:
  // Never with the words of the line: there may be a key among them which somebody put in the wrong place.
  std::unexpected<base::Error> bad(std::string_view problem) const {
    return base::fail(base::Code::kUsage, "auth.bad_access_file",
                      cat(what_, ", line ", number_, ": ", problem),
                      "docs/guides/security.md shows every kind of line");
  }

  Status read_attributes(std::string_view kind, std::span<const Word> words, Attributes& to) const {
    std::vector<std::string_view> seen;
    for (const Word& word : words) {
      const auto found = std::ranges::find(kAttributes, word.name, &Attribute::name);
      if (found == std::end(kAttributes) || word.value.data() == nullptr ||
          found->kinds.find(kind.front()) == std::string_view::npos)
        return bad(cat("a word behind \"", kind, "\" is not one of permissions=, models=, rate=, burst=",
                       kind == "key" ? ", expires=" : ""));
      if (std::ranges::find(seen, found->name) != seen.end()) return bad(cat(found->name, "= stands twice"));
      seen.push_back(found->name);
      const std::string_view wanted = found->set(to, word.value);
      if (!wanted.empty()) return bad(cat(found->name, "= should be ", wanted));
    }
    if (!to.models_claim.empty() && kind != "token") return bad("models=claim:… is for tokens only");
    if (to.rate.burst > 0 && !to.rate.limited()) return bad("burst= needs rate=");
    return {};
  }

  Status key(const std::vector<Word>& words, Attributes attributes) {
    const auto hash = parse_hash(words[2].text);
    if (!is_key_name(words[1].text))
      return bad("the key's name should be 1 to 64 letters, digits, '.', '_' or '-'");
    if (!hash)
      return bad(
          "behind the key's name comes \"sha256:\" and 64 hexadecimal digits, as `wherry-server "
          "--make-api-key NAME` prints it; not the key itself");
    if (!names_.insert(std::string(words[1].text)).second) return bad("a key of that name stands above");
    file_.keys.push_back(
        {std::string(words[1].text), *hash, std::move(attributes.rule), attributes.rate, attributes.ends});
    return {};
  }

  Status token(const Word& subject, Attributes attributes) {
    TokenLine line{{}, {}, std::move(attributes.rule), std::move(attributes.models_claim), attributes.rate};
    if (subject.text != "*") {
      if (subject.name.empty() || subject.value.empty())
        return bad("behind \"token\" comes CLAIM=VALUE, such as scope=predict, or *");
      line.claim = subject.name;
      line.value = subject.value;
    }
    file_.tokens.push_back(std::move(line));
    return {};
  }

  std::string_view what_;
  std::size_t number_ = 0;
  AccessFile file_;
  std::unordered_set<std::string> names_;
};

}  // namespace

base::Result<AccessFile> parse_access_file(std::string_view text, std::string_view what) {
  if (text.size() > kMostAccessBytes || !base::is_valid_utf8(text))
    return base::fail(base::Code::kUsage, "auth.bad_access_file",
                      cat(what, " is not UTF-8 text of at most ", base::human_size(kMostAccessBytes)));
  Parser parser(what);
  std::size_t number = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find('\n', i), text.size());
    if (++number > kMostLines)
      return base::fail(base::Code::kLimit, "auth.bad_access_file",
                        cat(what, " has more than ", kMostLines, " lines"),
                        "give out tokens (JWT) instead of so many keys");
    TRY(parser.line(number, text.substr(i, end - i)));
    i = end + 1;
  }
  return parser.take();
}

}  // namespace wherry::auth
