#!/bin/sh
# Does with a release what a stranger does first: installs it from files, runs it, and takes it away.
#
#   sh scripts/lib/smoke.sh DIR TARGET

set -eu
release=$(CDPATH='' cd -- "$1" && pwd) target=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
HOME=$scratch/home NO_COLOR=1
export HOME NO_COLOR
mkdir -p "$HOME" "$scratch/project"

sh "$release/install.sh" --from "$release" --target "$target" --prefix "$scratch/prefix"
PATH=$scratch/prefix/bin:$PATH
cd "$scratch/project"
nono --version
nono help | grep -q '^Review and undo:'
nono completion bash | grep -q '^complete '
nono config init
nono config validate
nono profile validate
case $target in
  darwin-*)
    # Of macOS the executable starts; what confines a command there is not complete yet.
    echo "smoke: $target starts; run and rollback are not tried on macOS"
    ;;
  *)
    nono doctor
    echo before >file
    nono run --rollback --allow-cwd -- sh -c 'echo after >file; echo new >other'
    test "$(cat file)" = after
    nono rollback show latest
    nono rollback restore latest
    test "$(cat file)" = before && test ! -e other
    if nono run --allow-cwd -- cat "$HOME/.profile" 2>/dev/null; then exit 1; fi
    nono rollback verify --all
    ;;
esac
cd "$scratch"
sh "$release/install.sh" --uninstall --purge --prefix "$scratch/prefix"
test ! -e "$scratch/prefix/bin/nono"
echo "smoke: $target passed"
