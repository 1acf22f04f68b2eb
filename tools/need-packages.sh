#!/bin/sh
# Installs those of the named Debian packages that are missing; quick when all are there.
#   need-packages.sh PACKAGE...
set -eu
missing=
for package in "$@"; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed*) ;; # once for each architecture
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "need-packages.sh: this system has no apt-get; please install what these Debian packages hold:$missing" >&2
  exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
  root=sudo
  command -v sudo >/dev/null || {
    echo "need-packages.sh: neither root nor sudo; please install:$missing" >&2
    exit 1
  }
fi
echo "installing$missing" >&2
# shellcheck disable=SC2086
install() { $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
# The package lists may be absent or old.
install 2>/dev/null || { $root apt-get update -qq >/dev/null && install; }
