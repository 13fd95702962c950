#!/bin/sh
# Makes docs/tour.svg: what a terminal shows of the first minutes with nono, drawn by `nono screen --svg`.
#
#   sh scripts/picture.sh [EXECUTABLE [FILE]]

set -eu
top=$(CDPATH='' cd -P -- "$(dirname "$0")/.." && pwd)
nono=${1:-$top/dist/nono}
picture=${2:-$top/docs/tour.svg}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
HOME=$scratch/home
export HOME
mkdir -p "$HOME/dev/sprockets/src" "$scratch/bin"
ln -s "$nono" "$scratch/bin/nono"
cd "$HOME/dev/sprockets"
printf 'export const teeth = 12;\n' >src/gear.js
printf '# Sprockets\n\nGears and more.\n' >README.md
cat >"$scratch/bin/your-agent" <<'END'
#!/bin/sh
sed -i s/12/24/ src/gear.js
rm README.md
echo todo >notes.txt
cat ~/.ssh/id_ed25519
END
chmod +x "$scratch/bin/your-agent"
cat >"$scratch/tour" <<'END'
show() { printf '\033[1m~/dev/sprockets $ %s\033[0m\n' "$*"; "$@"; }
show nono run --rollback --no-rollback-prompt --allow-cwd -- your-agent
show nono rollback show latest
show nono rollback restore latest
END
mkdir "$HOME/.ssh" && echo secret >"$HOME/.ssh/id_ed25519"
# What the commands print, recorded and shown again by a session: nono keeps its own state out of every sandbox, also from itself.
PATH=$scratch/bin:$PATH CLICOLOR_FORCE=1 PAGER=cat sh "$scratch/tour" >"$scratch/shown" 2>&1
sed "s|$scratch/home|/home/you|g" "$scratch/shown" >shown
"$nono" run --detached --silent --name tour --allow-cwd -- cat shown >/dev/null
"$nono" wait tour >/dev/null
"$nono" screen tour --svg >"$picture"
