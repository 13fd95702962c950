#!/bin/sh
# Installs nono: one executable, its completions and its manual page, below a directory of your own.
#
#   sh install.sh                        fetch and install, or upgrade
#   sh install.sh --from DIR|FILE|URL    from files at hand: no network is used
#   sh install.sh --uninstall [--purge]  take it away again
#
# Needs nothing but a POSIX shell, tar, gzip, and one of sha256sum, shasum, openssl or busybox. It never asks for another
# user's rights. Nothing is in place before its checksum has been compared, and the executable appears in one step. Nothing runs before
# the last line has been read: what was cut off on its way here does nothing. One file, because it is fetched alone.

# zsh is a POSIX shell when it is told to.
if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi
set -eu
LC_ALL=C
export LC_ALL
umask 022
# What tools take from the environment as if it had been said here.
unset TAR_OPTIONS GZIP XZ_DEFAULTS XZ_OPT GREP_OPTIONS || :

# Filled in by the release.
default_url='@url@'

usage() {
  cat <<'END'
Usage: sh install.sh [OPTIONS]

  --from DIR|FILE|URL  Where the archives and SHA256SUMS are, or the archive itself with SHA256SUMS beside it
  --prefix DIR         Install below DIR instead of ~/.local: DIR/bin/nono, DIR/share/…
  --target NAME        The platform, such as linux-x64-musl, instead of what is found out
  --uninstall          Remove what was installed below the prefix; sessions, snapshots and settings stay
  --purge              With --uninstall: remove ~/.nono, and settings and profiles in ~/.config/nono, too
  -h, --help           Show this help

Examples:
  sh install.sh --from ./nono-release
  sh install.sh --from nono-linux-x64.tar.gz --prefix /opt/nono
END
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'Error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf 'Hint: %s\n' "$line" >&2; done
  exit 1
}

wrong_usage() {
  printf 'Error: %s\nHint: See sh install.sh --help\n' "$1" >&2
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

read_options() {
  from='' prefix='' target='' action=install purge=no
  while [ $# -gt 0 ]; do
    case $1 in
      --from | --prefix | --target)
        if [ $# -lt 2 ] || [ -z "$2" ]; then wrong_usage "Cannot use $1 without a value"; fi
        case $1 in
          --from) from=$2 ;;
          --prefix) prefix=$2 ;;
          --target) target=$2 ;;
        esac
        shift 2
        ;;
      --from=* | --prefix=* | --target=*)
        option=${1%%=*} value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        ;;
      --uninstall) action=uninstall && shift ;;
      --purge) purge=yes && shift ;;
      -h | --help) usage && exit 0 ;;
      *) wrong_usage "Cannot use \"$1\": there is no such option" ;;
    esac
  done
  [ "$purge" = no ] || [ "$action" = uninstall ] || wrong_usage 'Cannot use --purge without --uninstall'

  if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail 'Cannot tell where to install: HOME is not set' 'Say it with --prefix DIR'
    prefix=$HOME/.local
  fi
  case $prefix in
    /*) ;;
    *) prefix=$(pwd)/$prefix ;;
  esac
}

# Each installed file, by its place in the archive and below the prefix. The executable comes last: what belongs to it is there then.
installed_files() {
  cat <<'END'
LICENSE share/doc/nono/LICENSE 644
LICENSES-OF-OTHERS share/doc/nono/LICENSES-OF-OTHERS 644
README.md share/doc/nono/README.md 644
completions/nono.bash share/bash-completion/completions/nono 644
completions/_nono share/zsh/site-functions/_nono 644
completions/nono.fish share/fish/vendor_completions.d/nono.fish 644
man/nono.1 share/man/man1/nono.1 644
nono bin/nono 755
END
}

# --- taking it away ---------------------------------------------------------------------------------------------------

running_sessions() {
  [ -x "$prefix/bin/nono" ] || return 0
  "$prefix/bin/nono" ps 2>/dev/null </dev/null | sed 1d || :
}

# What is not known to have ended, such as what runs on another host that has this home. What runs may be of a nono that was installed in another way.
open_sessions() { # STATE NONO
  if [ -z "$2" ]; then
    open_records "$1/sessions"
    return
  fi
  listed=$("$2" ps --all 2>/dev/null </dev/null) || return 1
  printf '%s\n' "$listed" | awk 'NR > 1 && $3 != "exited" && $3 != "lost"'
}

# There is no nono that could say of a record without an end whether its session runs or was killed.
open_records() { # DIRECTORY
  for record in "$1"/*.json; do
    case $record in
      *.screen.json) continue ;;
    esac
    [ ! -f "$record" ] || grep -q '^  "status": "exited",$' "$record" || say "$record"
  done
}

may_purge() { # STATE
  asked=$prefix/bin/nono
  [ -x "$asked" ] || asked=$(command -v nono) || asked=''
  open=$(open_sessions "$1" "$asked") || fail 'Cannot purge: nono does not say whether sessions are running' \
    "See what keeps it: $asked ps"
  [ -n "$open" ] || return 0
  printf '%s\n' "$open" >&2
  [ -n "$asked" ] || fail 'Cannot purge: the sessions above may be running, and there is no nono to ask' \
    'Install it and run this again, or leave --purge out'
  fail 'Cannot purge: the sessions above may be running, here or elsewhere' "See $asked ps --all, or leave --purge out"
}

uninstall() {
  if [ -n "$(running_sessions)" ]; then
    running_sessions >&2
    fail 'Cannot uninstall: the sessions above are running' "End them with $prefix/bin/nono stop ID…"
  fi
  state=${NONO_HOME:-${HOME:-}/.nono}
  [ "$purge" = no ] || may_purge "$state"
  found=no
  while read -r _ place _; do
    if [ -e "$prefix/$place" ] || [ -h "$prefix/$place" ]; then
      rm -f "$prefix/$place" || fail "Cannot remove $prefix/$place" 'Run this as the user who installed it'
      found=yes
    fi
  done <<END
$(installed_files)
END
  rmdir "$prefix/share/doc/nono" 2>/dev/null || :
  if [ "$found" = yes ]; then say "Removed nono from $prefix"; else say "nono is not installed below $prefix"; fi
  # As nono has it: one that is relative does not count.
  case ${XDG_CONFIG_HOME:-} in
    /*) settings=$XDG_CONFIG_HOME/nono ;;
    *) settings=${HOME:-}/.config/nono ;;
  esac
  if [ "$purge" = no ]; then
    for place in "$state" "$settings"; do [ ! -d "$place" ] || say "Kept $place"; done
    return
  fi
  # NONO_HOME may name anything: only what nono has made in it is removed.
  if [ -d "$state" ] && [ ! -h "$state" ]; then
    for place in sessions rollbacks names undo; do [ ! -d "$state/$place" ] || [ -h "$state/$place" ] || purge_state "$state/$place"; done
    if rmdir "$state" 2>/dev/null; then say "Removed $state"; else say "Kept $state: there is more in it than nono's state"; fi
  fi
  if [ -d "$settings" ] && [ ! -h "$settings" ]; then purge_settings "$settings"; fi
}

# Another program of this name, the nono in Rust, keeps its settings and profiles there too.
purge_settings() { # DIRECTORY
  rm -f "$1/config.toml"
  if [ -d "$1/profiles" ] && [ ! -h "$1/profiles" ]; then
    rm -f "$1/profiles"/*.toml
    rmdir "$1/profiles" 2>/dev/null || :
  fi
  if rmdir "$1" 2>/dev/null; then say "Removed $1"; else say "Kept $1: there is more in it than nono's settings"; fi
}

# Nobody but nono makes a directory of these names that no one else may enter.
purge_state() { # DIRECTORY
  case $(ls -ld "$1") in
    drwx------*) rm -rf "$1" ;;
  esac
}

# --- which one --------------------------------------------------------------------------------------------------------

detect_target() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "Cannot install on $(uname -s): nono runs on Linux and macOS" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) processor=x64 ;;
    aarch64 | arm64) processor=arm64 ;;
    *) fail "Cannot install on a processor of the kind $(uname -m): nono runs on x86-64 and arm64" ;;
  esac
  # A shell that is translated says x86_64 on a processor that is not.
  if [ "$system" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then processor=arm64; fi
  target=$system-$processor
  if [ "$system" = linux ]; then
    if uses_musl; then target=$target-musl; fi
    # Processors of before 2013 have no AVX2.
    if [ "$processor" = x64 ] && [ -r /proc/cpuinfo ] && ! grep -qw avx2 /proc/cpuinfo; then target=$target-baseline; fi
  fi
}

uses_musl() {
  for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 /lib64/ld-linux-aarch64.so.1; do
    [ ! -e "$loader" ] || return 1
  done
  for loader in /lib/ld-musl-*.so.1; do
    [ ! -e "$loader" ] || return 0
  done
  case $(ldd --version 2>&1 || :) in
    *musl*) return 0 ;;
  esac
  return 1
}

# --- getting it -------------------------------------------------------------------------------------------------------

fetch() { # URL FILE
  # What is asked for by https comes by https, wherever it is sent on to.
  case $1 in
    https://*) protocols='=https' ;;
    *) protocols='=https,http,file' ;;
  esac
  if has curl; then
    curl -fsSL --proto "$protocols" --retry 2 -o "$2" "$1" </dev/null || fail "Cannot fetch $1"
  elif has wget; then
    wget -q -O "$2" "$1" </dev/null || fail "Cannot fetch $1"
  else
    fail 'Cannot fetch anything: there is neither curl nor wget' 'Fetch the files elsewhere and use --from DIR'
  fi
}

sha256_of() { # FILE
  if has sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
  elif has busybox; then
    busybox sha256sum <"$1" | cut -d ' ' -f 1
  else
    fail 'Cannot compare checksums: there is none of sha256sum, shasum, openssl and busybox'
  fi
}

verify() { # FILE NAME SUMS
  # By redirection: awk takes a name with "=" in it for an assignment, and reads what is to be read after this.
  expected=$(awk -v name="$2" '{ sub(/\r$/, "") } $2 == name || $2 == "*" name { print tolower($1); exit }' <"$3")
  [ -n "$expected" ] || fail "Cannot install $2: SHA256SUMS does not name it" 'Take both files from one release'
  actual=$(sha256_of "$1")
  [ "$actual" = "$expected" ] ||
    fail "Cannot install $2: its SHA-256 is $actual, SHA256SUMS says $expected" 'It is damaged or not what was released: fetch it again'
}

# busybox has an xz that reads no archive with a filter, so the program itself is asked for.
can_read_xz() { has xz && ! xz --help 2>&1 | grep -qi busybox; }

needs_xz() { # NAME
  fail "Cannot read $1: there is no xz here that can" "Install xz, or take ${1%.xz}.gz of the same release"
}

# With "o" what root unpacks is root's, whoever made the archive.
unpack() { # FILE DIRECTORY
  case $1 in
    *.xz)
      can_read_xz || needs_xz "${1##*/}"
      # A pipe would hide how xz ended.
      xz -dc <"$1" >"$2/archive.tar" || fail "Cannot unpack $1"
      tar -xof "$2/archive.tar" -C "$2" || fail "Cannot unpack $1"
      rm -f "$2/archive.tar"
      ;;
    *)
      gzip -dc <"$1" >"$2/archive.tar" || fail "Cannot unpack $1"
      tar -xof "$2/archive.tar" -C "$2" || fail "Cannot unpack $1"
      rm -f "$2/archive.tar"
      ;;
  esac
}

choose_archive() { # prints the name that there is below "$1", a directory
  for kind in tar.xz tar.gz; do
    [ "$kind" = tar.gz ] || can_read_xz || continue
    if [ -f "$1/nono-$target.$kind" ]; then
      say "nono-$target.$kind"
      return
    fi
  done
  [ ! -f "$1/nono-$target.tar.xz" ] || needs_xz "nono-$target.tar.xz"
  fail "Cannot install: there is no nono-$target.tar.gz in $1" 'Choose another platform with --target NAME'
}

choose_source() {
  from=${from:-$default_url}
  case $from in
    '' | @*@) fail 'Cannot tell where to get nono from' 'Say it with --from DIR, FILE or URL' ;;
  esac
  [ -n "$target" ] || [ -f "$from" ] || detect_target
}

prepare_directory() {
  bin=$prefix/bin
  mkdir -p "$bin" 2>/dev/null || fail "Cannot make $bin" 'Choose a directory of your own with --prefix DIR'
  [ -w "$bin" ] || fail "Cannot write to $bin" 'Choose a directory of your own with --prefix DIR'
  # On the file system of the executable, so that it can be put in its place by a rename.
  for leftover in "$bin"/.nono-install.*; do
    [ -d "$leftover" ] && ! kill -0 "${leftover##*.}" 2>/dev/null && rm -rf "$leftover"
  done
  scratch=$bin/.nono-install.$$
  mkdir -m 700 "$scratch" || fail "Cannot make $scratch"
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
}

get_archive() { # sets "archive", "name" and "sums"
  case $from in
    http://* | https://* | file://*)
      fetch "${from%/}/SHA256SUMS" "$scratch/SHA256SUMS"
      name=nono-$target.tar.xz
      if ! can_read_xz || ! grep -q " $name\$" "$scratch/SHA256SUMS"; then name=nono-$target.tar.gz; fi
      fetch "${from%/}/$name" "$scratch/$name"
      archive=$scratch/$name sums=$scratch/SHA256SUMS
      ;;
    *)
      if [ -d "$from" ]; then
        name=$(choose_archive "$from") || exit 1
        archive=$from/$name
      elif [ -f "$from" ]; then
        archive=$from name=${from##*/}
      else
        fail "Cannot install from \"$from\": there is no such file or directory"
      fi
      case $archive in
        */*) sums=${archive%/*}/SHA256SUMS ;;
        *) sums=SHA256SUMS ;;
      esac
      [ -f "$sums" ] || fail "Cannot install $name: there is no SHA256SUMS beside it" 'Copy it from the same release'
      ;;
  esac
}

# --- putting it in place ----------------------------------------------------------------------------------------------

check_executable() { # sets "version"
  chmod 755 "$scratch/nono/nono"
  version=$("$scratch/nono/nono" --version 2>"$scratch/complaint" </dev/null) || {
    sed 's/^/  /' "$scratch/complaint" >&2 || :
    fail "Cannot install $name: its executable does not run here" \
      'The one for linux needs glibc 2.17 or later, the one for musl needs libstdc++ and libgcc: choose with --target NAME'
  }
}

put_in_place() { # sets "same"
  same=yes
  while read -r source place mode; do
    [ -f "$scratch/nono/$source" ] || fail "Cannot install $name: there is no $source in it"
    if [ -f "$prefix/$place" ] && cmp -s "$scratch/nono/$source" "$prefix/$place"; then continue; fi
    same=no
    mkdir -p "$prefix/${place%/*}" || fail "Cannot make $prefix/${place%/*}"
    [ ! -d "$prefix/$place" ] || fail "Cannot put $prefix/$place in its place: a directory has its name"
    chmod "$mode" "$scratch/nono/$source"
    # A rename: a session that runs keeps the executable that it began with, and nobody ever starts half of one.
    mv -f "$scratch/nono/$source" "$prefix/$place" || fail "Cannot put $prefix/$place in its place"
  done <<END
$(installed_files)
END
}

tell_how_to_find() {
  case :${PATH:-}: in
    *:"$bin":*)
      say 'Try: nono doctor'
      return
      ;;
  esac
  case ${SHELL:-} in
    */fish)
      say 'It is not on your PATH yet: run this once'
      say "  fish_add_path \"$bin\""
      ;;
    */zsh)
      say 'It is not on your PATH yet: add this line to ~/.zprofile, and open a new terminal'
      say "  export PATH=\"$bin:\$PATH\""
      ;;
    *)
      say 'It is not on your PATH yet: add this line to ~/.profile, and open a new terminal'
      say "  export PATH=\"$bin:\$PATH\""
      ;;
  esac
  say "Try: $bin/nono doctor"
}

install_nono() {
  choose_source
  prepare_directory
  get_archive
  verify "$archive" "$name" "$sums"
  unpack "$archive" "$scratch"
  [ -f "$scratch/nono/nono" ] || fail "Cannot install $name: there is no executable in it"
  check_executable
  before=''
  if [ -x "$bin/nono" ]; then before=$("$bin/nono" --version 2>/dev/null </dev/null || say 'another nono'); fi
  put_in_place
  if [ "$same" = yes ]; then
    say "$version is already installed as $bin/nono"
  elif [ -n "$before" ] && [ "$before" != "$version" ]; then
    say "Replaced $before by $version as $bin/nono"
  else
    say "Installed $version as $bin/nono"
  fi
  tell_how_to_find
}

main() {
  read_options "$@"
  if [ "$action" = uninstall ]; then uninstall; else install_nono; fi
}

# In braces, so that half of this line is none.
{ main "$@"; }
