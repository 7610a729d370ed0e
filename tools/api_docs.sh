#!/usr/bin/env bash
# Makes the documentation as a site, the API and the pages of docs/, in build/site/html.
#
#   tools/api_docs.sh [FOLDER]    FOLDER instead of build/site
#
# Needs doxygen and the theme doxygen-awesome-css, which Debian and Ubuntu have as packages; ADTR_DOXYGEN_THEME names
# another folder of it. Fails if Doxygen warns of anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export ADTR_DOXYGEN_THEME="${ADTR_DOXYGEN_THEME:-/usr/share/doxygen-awesome-css}"
export ADTR_DOXYGEN_OUTPUT="${1:-build/site}"
if ! command -v doxygen >/dev/null || [[ ! -f "$ADTR_DOXYGEN_THEME/doxygen-awesome.css" ]]; then
  tools/install_packages.sh doxygen doxygen-awesome-css
fi

mkdir -p "$ADTR_DOXYGEN_OUTPUT"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# Doxygen's own header, which differs from version to version, with the switch between light and dark.
doxygen -w html "$work/header.html" "$work/footer.html" "$work/style.css"
sed 's|^</head>|\
<script type="text/javascript" src="$relpath^doxygen-awesome-darkmode-toggle.js"></script>\
<script type="text/javascript" src="$relpath^doxygen-awesome-fragment-copy-button.js"></script>\
<script type="text/javascript" src="$relpath^doxygen-awesome-paragraph-link.js"></script>\
<script type="text/javascript">\
DoxygenAwesomeDarkModeToggle.init();\
DoxygenAwesomeFragmentCopyButton.init();\
DoxygenAwesomeParagraphLink.init();\
</script>\
&|' "$work/header.html" >"$ADTR_DOXYGEN_OUTPUT/header.html"
doxygen docs/Doxyfile.site
echo "api_docs: $ADTR_DOXYGEN_OUTPUT/html/index.html"
