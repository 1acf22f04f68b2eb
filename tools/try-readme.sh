#!/bin/sh
# Tries README's lines on bare Debian systems, made by debootstrap with this machine's mirror and
# pip settings, and prints a table for docs/systems.md. Takes about ten minutes for each system.
#   try-readme.sh [--tests SYSTEM] ROOTS [SYSTEM...]
# ROOTS is a folder for the systems and a log of each. SYSTEMs are a release of Debian and,
# after a slash, a compiler of it: bookworm trixie trixie/gcc-13 if none is given. --tests
# names the one where all tests are run (the others run those of the installation).
# Only root can make such systems. What is committed is tried.
set -eu
tests=
[ "${1:-}" != --tests ] || {
  tests=$2
  shift 2
}
[ $# != 0 ] && [ "$(id -u)" = 0 ] || {
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
mkdir -p "$1"
roots=$(realpath "$1")
shift
[ $# != 0 ] || set -- bookworm trixie trixie/gcc-13
cd "$(dirname "$0")/.."
mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL) $(COMPONENT)' 'Created-By: Packages' |
  awk '$2 == "Debian" && $3 == "main" { print $1; exit }')
root=
gone() {
  for folder in dev/pts dev proc; do
    [ -z "$root" ] || ! mountpoint -q "$root/$folder" || umount "$root/$folder"
  done
}
trap gone EXIT
trap 'exit 1' INT TERM

# A bare system of a release, kept, and a copy of it for this time.
fresh() {
  base=$roots/$1-bare root=$roots/$2
  [ -e "$base/done" ] || {
    rm -rf "$base"
    debootstrap --variant=minbase "$1" "$base" $mirror >"$base.log" 2>&1
    : >"$base/done"
  }
  gone # of a time that was cut short
  rm -rf --one-file-system "$root"
  cp -a "$base" "$root"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  for file in /etc/pip.conf /usr/local/share/ca-certificates; do # of a network of its own
    [ ! -e "$file" ] || cp -a "$file" "$root$(dirname "$file")/"
  done
  mkdir "$root/root/libhybridlm"
  git archive HEAD | tar -x -C "$root/root/libhybridlm"
}

# inside COMMAND: in the project's folder of the system, with little in the environment
inside() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root $(env | grep '^PIP_[A-Z_]*=[^ ]*$') $compiler \
    chroot "$root" sh -c "cd /root/libhybridlm && $1"
}

# try COLUMN COMMAND: a cell of the table
try() {
  echo "==== $1: $2" >>"$log"
  began=$(date +%s)
  if inside "$2" >"$roots/said" 2>&1; then cell=yes; else cell='**no**' status=1; fi
  cat "$roots/said" >>"$log"
  echo "==== $1: $cell, $(($(date +%s) - began)) s" | tee -a "$log" >&2
  row="$row | $cell"
}

# A line that is tried is one of README's or docs/, word for word.
line_of() {
  grep -qF -e "$2" "$1" || {
    echo "try-readme.sh: $1 has no line \"$2\"" >&2
    exit 1
  }
  echo "$2"
}

status=0
first='./first models/*.gguf "The capital of France is" | tee /dev/stderr | grep -q .'
cc=$(line_of README.md 'cc first.c $(pkg-config --cflags --libs hybridlm) -o first')
install=$(line_of README.md 'meson install -C build')
quickstart=$(line_of README.md './quickstart.sh "What is gravity?"')
chat=$(line_of README.md 'build/examples/cli/hybridlm chat -m models/SmolLM2-135M-Instruct.Q4_1.gguf')
static=$(line_of README.md 'cc -static first.c $(pkg-config --static --cflags --libs hybridlm) -o first')
run=$(line_of README.md test/run)
own=$(line_of docs/guide.md 'meson configure build --prefix="$HOME/hybridlm"')
path=$(line_of docs/guide.md 'export PKG_CONFIG_PATH="$HOME/hybridlm/lib/pkgconfig"')
venv=$(line_of docs/python.md 'tools/need-packages.sh python3-venv && python3 -m venv venv && . venv/bin/activate')
pip=$(line_of docs/python.md "pip install '.[arrays]'")
echo "| system | compiler | quickstart | tests | install, first.c | static | own prefix | pip install | without -dev packages | warnings |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for system; do
  release=${system%/*} compiler=
  log=$roots/$(echo "$system" | tr / -).log
  : >"$log"
  fresh "$release" "$(basename "$log" .log)"
  [ "$system" = "$release" ] || {
    compiler=CC=${system#*/}
    inside "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${system#*/}" >>"$log" 2>&1
  }
  row=
  try quickstart "$quickstart && echo Hello | $chat | tee /dev/stderr | grep -q ."
  [ "$system" = "$tests" ] || run='test/run install hardened docs header'
  try tests "$run"
  row="$row ($(tail -n 1 "$roots/said"))"
  try 'install, first.c' "$install && cp docs/first.c . && $cc && $first && hybridlm info models/*.gguf"
  try static "$static && $first"
  try 'own prefix' "$own && $install && rm -r /usr/local/lib/*hybridlm* /usr/local/lib/*/hybridlm* /usr/local/include/hybridlm &&
    ldconfig && $path && $cc && $first && \$HOME/hybridlm/bin/hybridlm info models/*.gguf"
  try 'pip install' "$venv && $pip && cd / && python3 -c 'import glob, hybridlm
print(hybridlm.Model(glob.glob(\"/root/libhybridlm/models/*.gguf\")[0]).info)'"
  try 'without -dev packages' "dpkg -r --force-depends libjansson-dev libutf8proc-dev libpcre2-dev libxxhash-dev && $path && $cc && $first"
  warnings=$(grep -ac 'warning:' "$log" || true)
  name=$(inside 'echo "Debian $(cat /etc/debian_version)"')
  version=$(inside '${CC:-cc} --version' | head -n 1)
  echo "| $name | $version$row | $warnings |"
  gone
done
exit $status
