#!/usr/bin/env bash
# Make sure that the real tools which the tests run are here: promtool, prometheus, amtool, alertmanager, redis,
# chromium, victoria-metrics, vmalert, nginx, Go.
# What is missing is fetched as a Debian or Ubuntu package and unpacked below .tools/, never installed: so this needs
# no root and starts no service. Elsewhere it says what to install. Two things go outside the checkout, where they may:
# the templates that Debian's Alertmanager reads from one folder only, and does not start without; and chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/.tools

has() { command -v "$1" >/dev/null 2>&1 || [ -x "$here/usr/bin/$1" ]; }

look() { # leave in `missing` the packages that hold what is not here
  missing=()
  { has promtool && has prometheus; } || missing+=(prometheus)
  { has amtool && { has prometheus-alertmanager || has alertmanager; }; } || missing+=(prometheus-alertmanager)
  { has victoria-metrics && has vmalert; } || missing+=(victoria-metrics)
  { has nginx || [ -x /usr/sbin/nginx ] || [ -x "$here/usr/sbin/nginx" ]; } || missing+=(nginx)
  has redis-server || missing+=(redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1) # with what it is linked to
}

fetch() { # fetch PACKAGE...: as the system's package lists say, else with lists of our own
  local own=(-o "Dir::State::lists=$here/lists" -o "Dir::Cache=$here/cache" -o "APT::Sandbox::User=$(id -un)")
  mkdir -p "$here/lists/partial" "$here/cache/archives/partial" "$here/debs"
  (
    cd "$here/debs"
    apt-get -q download "$@" 2>/dev/null ||
      { apt-get -q "${own[@]}" update && apt-get -q "${own[@]}" download "$@"; }
    for deb in *.deb; do dpkg-deb --extract "$deb" "$here"; done
  )
  rm -rf "$here/lists" "$here/cache" "$here/debs"
}

look
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
  echo "unpacking ${missing[*]} into .tools/" >&2
  fetch "${missing[@]}" >&2 || true
  look
fi
# A browser is too much to unpack: a hundred libraries, and fonts.
install_chromium() { apt-get -q install -y --no-install-recommends chromium >&2; }
if ! has chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  install_chromium || { apt-get -q update >&2 && install_chromium; } || true
fi
has chromium || echo "The tests of the status page need chromium on PATH. On Debian: apt-get install chromium" >&2
if [ ${#missing[@]} -gt 0 ]; then
  echo "The tests need promtool, prometheus (2.42 or newer), amtool, alertmanager (0.25 or newer), redis-server (6 or" >&2
  echo "newer), victoria-metrics and vmalert (1.79 or newer), and nginx on PATH. On Debian or Ubuntu:" >&2
  echo "apt-get install ${missing[*]}" >&2
  echo "Elsewhere: https://prometheus.io/download, https://redis.io/downloads and https://docs.victoriametrics.com" >&2
fi

templates=/usr/share/prometheus/alertmanager
if has prometheus-alertmanager && [ ! -e $templates/default.tmpl ]; then
  { mkdir -p "${templates%/*}" && cp -r "$here$templates" "${templates%/*}/"; } 2>/dev/null ||
    echo "Alertmanager starts only with its templates: apt-get install prometheus-alertmanager, or, as root," \
      "cp -r $here$templates ${templates%/*}/" >&2
fi

go_version=$(go env GOVERSION 2>/dev/null || true)
case $go_version in
  go1.2[5-9]* | go1.[3-9][0-9]* | go[2-9]*) ;;
  *) echo "tests/engine needs Go 1.25 or newer on PATH (found: ${go_version:-none}): https://go.dev/dl" >&2 ;;
esac
# What is still missing is each test's own matter: it says what it needs, and under CI it fails.
