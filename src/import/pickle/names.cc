// Present-day names of globals that have had others.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/pickle/known.h"

namespace wherry::pickle {

namespace {

struct Renamed {
  std::string_view module;
  std::string_view name;  // empty: every name of the module
  std::string_view new_module;
  std::string_view new_name;
};

// CPython Lib/_compat_pickle.py: IMPORT_MAPPING, then NAME_MAPPING (but for `exceptions`, see find_renamed).
constexpr auto kPython2 = std::to_array<Renamed>({
    {"__builtin__", "", "builtins", ""},
    {"copy_reg", "", "copyreg", ""},
    {"Queue", "", "queue", ""},
    {"SocketServer", "", "socketserver", ""},
    {"ConfigParser", "", "configparser", ""},
    {"repr", "", "reprlib", ""},
    {"tkFileDialog", "", "tkinter.filedialog", ""},
    {"tkSimpleDialog", "", "tkinter.simpledialog", ""},
    {"tkColorChooser", "", "tkinter.colorchooser", ""},
    {"tkCommonDialog", "", "tkinter.commondialog", ""},
    {"Dialog", "", "tkinter.dialog", ""},
    {"Tkdnd", "", "tkinter.dnd", ""},
    {"tkFont", "", "tkinter.font", ""},
    {"tkMessageBox", "", "tkinter.messagebox", ""},
    {"ScrolledText", "", "tkinter.scrolledtext", ""},
    {"Tkconstants", "", "tkinter.constants", ""},
    {"Tix", "", "tkinter.tix", ""},
    {"ttk", "", "tkinter.ttk", ""},
    {"Tkinter", "", "tkinter", ""},
    {"markupbase", "", "_markupbase", ""},
    {"_winreg", "", "winreg", ""},
    {"thread", "", "_thread", ""},
    {"dummy_thread", "", "_dummy_thread", ""},
    {"dbhash", "", "dbm.bsd", ""},
    {"dumbdbm", "", "dbm.dumb", ""},
    {"dbm", "", "dbm.ndbm", ""},
    {"gdbm", "", "dbm.gnu", ""},
    {"xmlrpclib", "", "xmlrpc.client", ""},
    {"SimpleXMLRPCServer", "", "xmlrpc.server", ""},
    {"httplib", "", "http.client", ""},
    {"htmlentitydefs", "", "html.entities", ""},
    {"HTMLParser", "", "html.parser", ""},
    {"Cookie", "", "http.cookies", ""},
    {"cookielib", "", "http.cookiejar", ""},
    {"BaseHTTPServer", "", "http.server", ""},
    {"test.test_support", "", "test.support", ""},
    {"commands", "", "subprocess", ""},
    {"urlparse", "", "urllib.parse", ""},
    {"robotparser", "", "urllib.robotparser", ""},
    {"urllib2", "", "urllib.request", ""},
    {"anydbm", "", "dbm", ""},
    {"_abcoll", "", "collections.abc", ""},
    {"cPickle", "", "pickle", ""},
    {"_elementtree", "", "xml.etree.ElementTree", ""},
    {"FileDialog", "", "tkinter.filedialog", ""},
    {"SimpleDialog", "", "tkinter.simpledialog", ""},
    {"DocXMLRPCServer", "", "xmlrpc.server", ""},
    {"SimpleHTTPServer", "", "http.server", ""},
    {"CGIHTTPServer", "", "http.server", ""},
    {"UserDict", "", "collections", ""},
    {"UserList", "", "collections", ""},
    {"UserString", "", "collections", ""},
    {"whichdb", "", "dbm", ""},
    {"StringIO", "", "io", ""},
    {"cStringIO", "", "io", ""},
    {"__builtin__", "xrange", "builtins", "range"},
    {"__builtin__", "reduce", "functools", "reduce"},
    {"__builtin__", "intern", "sys", "intern"},
    {"__builtin__", "unichr", "builtins", "chr"},
    {"__builtin__", "unicode", "builtins", "str"},
    {"__builtin__", "long", "builtins", "int"},
    {"itertools", "izip", "builtins", "zip"},
    {"itertools", "imap", "builtins", "map"},
    {"itertools", "ifilter", "builtins", "filter"},
    {"itertools", "ifilterfalse", "itertools", "filterfalse"},
    {"itertools", "izip_longest", "itertools", "zip_longest"},
    {"UserDict", "IterableUserDict", "collections", "UserDict"},
    {"UserList", "UserList", "collections", "UserList"},
    {"UserString", "UserString", "collections", "UserString"},
    {"whichdb", "whichdb", "dbm", "whichdb"},
    {"_socket", "fromfd", "socket", "fromfd"},
    {"_multiprocessing", "Connection", "multiprocessing.connection", "Connection"},
    {"multiprocessing.process", "Process", "multiprocessing.context", "Process"},
    {"multiprocessing.forking", "Popen", "multiprocessing.popen_fork", "Popen"},
    {"urllib", "ContentTooShortError", "urllib.error", "ContentTooShortError"},
    {"urllib", "getproxies", "urllib.request", "getproxies"},
    {"urllib", "pathname2url", "urllib.request", "pathname2url"},
    {"urllib", "quote_plus", "urllib.parse", "quote_plus"},
    {"urllib", "quote", "urllib.parse", "quote"},
    {"urllib", "unquote_plus", "urllib.parse", "unquote_plus"},
    {"urllib", "unquote", "urllib.parse", "unquote"},
    {"urllib", "url2pathname", "urllib.request", "url2pathname"},
    {"urllib", "urlcleanup", "urllib.request", "urlcleanup"},
    {"urllib", "urlencode", "urllib.parse", "urlencode"},
    {"urllib", "urlopen", "urllib.request", "urlopen"},
    {"urllib", "urlretrieve", "urllib.request", "urlretrieve"},
    {"urllib2", "HTTPError", "urllib.error", "HTTPError"},
    {"urllib2", "URLError", "urllib.error", "URLError"},
    {"multiprocessing", "AuthenticationError", "multiprocessing.context", "AuthenticationError"},
    {"multiprocessing", "BufferTooShort", "multiprocessing.context", "BufferTooShort"},
    {"multiprocessing", "ProcessError", "multiprocessing.context", "ProcessError"},
    {"multiprocessing", "TimeoutError", "multiprocessing.context", "TimeoutError"},
    {"__builtin__", "basestring", "builtins", "str"},
    {"exceptions", "StandardError", "builtins", "Exception"},
    {"UserDict", "UserDict", "collections", "UserDict"},
    {"socket", "_socketobject", "socket", "SocketType"},
});

// The row of exactly this name if there is one, else that of its module.
const Renamed* find_renamed(std::string_view module, std::string_view name) {
  const Renamed* of_module = nullptr;
  for (const Renamed& row : kPython2) {
    if (row.module != module) continue;
    if (row.name == name) return &row;
    if (row.name.empty()) of_module = &row;
  }
  return of_module;
}

// Built-in exceptions moved from module `exceptions` to `builtins` under the same name.
bool is_python2_exception(std::string_view module) {
  return module == "exceptions";
}

// scipy 1.8 put an underscore before its private sparse modules.
constexpr std::array<std::string_view, 8> kScipySparse = {"base", "bsr", "coo", "csc",
                                                          "csr",  "dia", "dok", "lil"};

}  // namespace

bool is_python2_name(std::string_view module, std::string_view name) {
  return is_python2_exception(module) || find_renamed(module, name) != nullptr;
}

CanonicalName canonical_name(std::string_view module, std::string_view name, bool python2) {
  CanonicalName result{std::string(module), std::string(name)};
  if (python2) {
    if (const Renamed* row = find_renamed(module, name)) {
      result.module = row->new_module;
      if (!row->name.empty()) result.name = row->new_name;
    } else if (is_python2_exception(module)) {
      result.module = "builtins";
    }
    module = result.module;
  }
  constexpr std::string_view kNumpyCore = "numpy.core";
  constexpr std::string_view kSparse = "scipy.sparse.";
  if (module == kNumpyCore || module.starts_with("numpy.core."))
    result.module = base::cat("numpy._core", module.substr(kNumpyCore.size()));
  else if (module.starts_with(kSparse) &&
           std::ranges::find(kScipySparse, module.substr(kSparse.size())) != kScipySparse.end())
    result.module = base::cat(kSparse, "_", module.substr(kSparse.size()));
  return result;
}

}  // namespace wherry::pickle
