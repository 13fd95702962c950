# Sourced: ends the script with what to do when there is no Node 20 or later with npm.

need_node() {
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=
  case $major in
    '')
      echo "Cannot start: there is no working \"node\" on PATH, and Node 20 or later is needed to build from source" >&2
      echo "Hint: install it from your distribution or from https://nodejs.org, then try again" >&2
      exit 1
      ;;
    [0-9] | 1[0-9])
      echo "Cannot start: \"node\" on PATH is version $(node --version), and version 20 or later is needed" >&2
      echo "Hint: install a later Node, or put it first on PATH" >&2
      exit 1
      ;;
  esac
  if ! command -v npm >/dev/null 2>&1; then
    echo "Cannot start: there is no \"npm\" on PATH, and it is needed to install what the build uses" >&2
    echo "Hint: it comes with Node from nodejs.org; distributions often have it as the package \"npm\"" >&2
    exit 1
  fi
}

