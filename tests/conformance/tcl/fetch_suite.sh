#!/bin/sh
# Fetches Debian's source package of Redis, which holds the Tcl suite, and prints where it is:
#
#   fetch_suite.sh FOLDER
#
# FOLDER keeps what was fetched, so that a second call needs no network. The machine's own package
# sources stay as they are: a copy of them, in FOLDER, asks for source packages instead. Programs
# that the suite needs are installed when they are missing.
set -eu

version=7.0.15
mkdir -p "$1"
folder=$(cd "$1" && pwd)
suite=$folder/redis-$version

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need PACKAGE PROGRAM: remembers the package if there is no such program.
missing=""
need() { command -v "$2" >/dev/null 2>&1 || missing="$missing $1"; }
need tcl8.6 tclsh8.6
need redis-server redis-server
need redis-tools redis-cli
[ -d "$suite" ] || need dpkg-dev dpkg-source
if [ -n "$missing" ]; then
  echo "Installing$missing" >&2
  as_root apt-get update -qq >&2
  # shellcheck disable=SC2086 # Several words are meant.
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >&2
fi

if [ ! -d "$suite" ]; then
  echo "Fetching the source package of redis" >&2
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/sources.d" "$work/lists/partial" "$work/cache/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$work/sources.d/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && sed -n -E 's/^deb(-src)? /deb-src /p' "$file" >"$work/sources.d/${file##*/}.list"
  done
  options="-qq -o APT::Sandbox::User= -o Dir::Etc::sourcelist=/dev/null
    -o Dir::Etc::sourceparts=$work/sources.d -o Dir::State::lists=$work/lists
    -o Dir::Cache=$work/cache"
  # A source that can't be reached is none of ours as long as the package is found.
  # shellcheck disable=SC2086
  apt-get $options update >&2 || true
  # shellcheck disable=SC2086
  (cd "$work" && apt-get $options source redis >&2)
  # It gets its name when it is whole.
  mv "$work/redis-$version" "$suite"
fi
echo "$suite"
