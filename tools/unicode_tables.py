"""Writes src/pytext/unicode_tables.inc: what Python's str methods and `re` say of each code point.

    python3.13 tools/unicode_tables.py > src/pytext/unicode_tables.inc

The tables are those of the Python that runs this (unicodedata.unidata_version). A second argument, the file written by
an older Python with --letters, adds the letters and digits since then, for a PCRE2 which does not know them yet:

    python3.11 tools/unicode_tables.py --letters > letters.txt
    python3.13 tools/unicode_tables.py letters.txt > src/pytext/unicode_tables.inc
"""

import re._casefix
import sys
import unicodedata

LAST = 0x110000
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic


def characters():
    return (chr(code) for code in range(LAST) if not 0xD800 <= code < 0xE000)


def is_final_sigma(before, after=""):
    return (before + "\u03a3" + after).lower()[len(before)] == "\u03c2"


def flags_of(c):
    ignorable = is_final_sigma("A" + c) and not is_final_sigma(" " + c)  # skipped when looking for a cased letter
    cased = not ignorable and is_final_sigma(c)
    lower, fold = c.lower() != c, folded(c) != c
    return sum(
        bit << i for i, bit in enumerate([c.isalnum() or c == "_", c.isdecimal(), c.isspace(), cased, ignorable, lower, fold])
    )


def folded(c):
    """sklearn.feature_extraction.text.strip_accents_unicode of one character."""
    return "".join(d for d in unicodedata.normalize("NFKD", c) if not unicodedata.combining(d))


def runs(values):
    previous = None
    for code, value in values:
        if value != previous:
            yield code, value
        previous = value


def write(name, kind, items):
    print("constexpr %s %s[] = {" % (kind, name))
    line = ""
    for item in items:
        if len(line) + len(item) > 109:
            print(line)
            line = ""
        line += item + ","
    print(line + "};\n")


def letters():
    return [code for code in range(LAST) if chr(code).isalnum()]


def write_newer(name, codes):
    spans = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    print("constexpr std::string_view %s =" % name)
    for i in range(0, max(len(spans), 1), 4):
        print('    "%s"' % "".join("\\\\x{%x}-\\\\x{%x}" % (a, b) for a, b in spans[i : i + 4]))
    print(";")


def main():
    if sys.argv[1:] == ["--letters"]:
        print(*letters())
        return
    print("// Made by tools/unicode_tables.py with Python %d.%d. clang-format off\n" % sys.version_info[:2])
    print('constexpr std::string_view kUnicodeVersion = "%s";\n' % unicodedata.unidata_version)
    flags = {ord(c): flags_of(c) for c in characters()}
    write("kRuns", "Run", ("{%d,%d}" % run for run in runs((code, flags.get(code, 0)) for code in range(LAST))))
    lower = [c for c in characters() if c.lower() != c and len(c.lower()) == 1]
    write("kLower", "Lower", ("{%d,%d}" % (ord(c), ord(c.lower())) for c in lower))
    same_upper = re._casefix._EXTRA_CASES  # 3.11 and newer; what older ones have in _equivalences is the same
    write("kLowerPairs", "LowerPair", ("{%d,%d}" % (c, other) for c in sorted(same_upper) for other in same_upper[c]))
    pool, entries = "", []
    for c in characters():
        if ord(c) in HANGUL or folded(c) == c:
            continue
        text = folded(c)
        at = pool.find(text)
        if at < 0:
            at, pool = len(pool), pool + text
        entries.append("{%d,%d,%d}" % (ord(c), at, len(text)))
    write("kFold", "Fold", entries)
    write("kFoldPool", "char32_t", ("%d" % ord(c) for c in pool))
    known = set(map(int, open(sys.argv[1]).read().split())) if len(sys.argv) > 1 else set(letters())
    newer = [code for code in letters() if code not in known]
    print("// Letters and digits since Unicode 14, which Debian 12's PCRE2 follows.")
    write_newer("kNewerWords", newer)
    write_newer("kNewerDigits", [code for code in newer if chr(code).isdecimal()])



if __name__ == "__main__":
    main()
