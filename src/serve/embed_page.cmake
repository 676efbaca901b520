# Writes OUTPUT from the parts of the pages in FOLDER.
file(READ ${FOLDER}/page.css style)
file(READ ${FOLDER}/page.body.html body)
file(READ ${FOLDER}/page.js script)
file(READ ${FOLDER}/docs.body.html docs_body)
file(READ ${FOLDER}/docs.js docs_script)
file(WRITE ${OUTPUT} "#include \"serve/page_parts.h\"

namespace wherry::serve {

const std::string_view kPageStyle = R\"page(${style})page\";
const std::string_view kPageBody = R\"page(${body})page\";
const std::string_view kPageScript = R\"page(${script})page\";
const std::string_view kDocsBody = R\"page(${docs_body})page\";
const std::string_view kDocsScript = R\"page(${docs_script})page\";

}  // namespace wherry::serve
")
