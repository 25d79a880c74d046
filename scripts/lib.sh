# Shared by the scripts: saying what happens, finding and installing the pinned tools. Sourced, not run.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
export WRANGLER_SEND_METRICS=false

# The pinned tools that no lock file names. Rust is pinned by rust-toolchain.toml, the rest by the lock files.
NODE_VERSION=26.10.0
NPM_VERSION=11.19.1
TOOLS="${EDGE_BROKER_TOOLS:-$ROOT/.tools}"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# usage FILE: the comment at the head of a script, as its --help.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$1"; }

# need COMMAND REMEDY: a prerequisite that the scripts do not install.
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is missing: $2"; }

# The pinned Node and npm, installed as packages by whatever npm is there. Puts them first on PATH.
use_node() {
  local system arch folder
  case "$(uname -s)" in Linux) system=linux ;; Darwin) system=darwin ;; *) die "this system is not Linux or macOS: use WSL or a container" ;; esac
  case "$(uname -m)" in x86_64 | amd64) arch=x64 ;; arm64 | aarch64) arch=arm64 ;; *) die "no Node is packaged for $(uname -m)" ;; esac
  folder="$TOOLS/node-$NODE_VERSION"
  if [ ! -x "$folder/bin/node" ]; then
    need npm "install Node.js, any version: https://nodejs.org"
    say "Installing Node $NODE_VERSION and npm $NPM_VERSION into ${folder#"$ROOT"/}"
    rm -rf "$folder"
    mkdir -p "$folder/packages" "$folder/bin"
    printf '{"private":true}' >"$folder/packages/package.json"
    npm install --prefix "$folder/packages" --ignore-scripts --no-save --no-package-lock --loglevel=error \
      "node-$system-$arch@$NODE_VERSION" "npm@$NPM_VERSION" >&2
    cat >"$folder/bin/npm" <<'NPM'
#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
exec "$here/node" "$here/../packages/node_modules/npm/bin/npm-cli.js" "$@"
NPM
    chmod +x "$folder/bin/npm"
    ln -sf ../packages/node_modules/npm/bin/npx-cli.js "$folder/bin/npx"
    ln -sf "../packages/node_modules/node-$system-$arch/bin/node" "$folder/bin/node"
  fi
  export PATH="$folder/bin:$PATH"
}

# The packages of package-lock.json, installed again only when it changes.
use_packages() {
  use_node
  local stamp=node_modules/.lock-stamp
  if ! cmp -s package-lock.json "$stamp"; then
    say "Installing the packages of package-lock.json"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    cp package-lock.json "$stamp"
  fi
  export PATH="$ROOT/node_modules/.bin:$PATH"
}

# The pinned Rust toolchain with the wasm target.
use_rust() {
  need rustup "install it from https://rustup.rs"
  need cc "install a C compiler (Debian: apt-get install gcc; macOS: xcode-select --install)"
  local channel
  channel="$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)"
  if ! rustup toolchain list | grep -q "^$channel-"; then
    say "Installing Rust $channel"
    rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt --target wasm32-unknown-unknown --no-self-update >&2
  fi
  if ! rustup target list --installed --toolchain "$channel" | grep -qx wasm32-unknown-unknown; then
    say "Adding the wasm32-unknown-unknown target to Rust $channel"
    rustup target add wasm32-unknown-unknown --toolchain "$channel" >&2
  fi
}

# use_cargo_tool NAME VERSION: a tool from the registry, built once.
use_cargo_tool() {
  local folder="$TOOLS/$1-$2"
  if [ ! -x "$folder/bin/$1" ]; then
    say "Building $1 $2 (some minutes, once)"
    cargo install --locked --quiet --root "$folder" "$1@$2" >&2
  fi
  export PATH="$folder/bin:$PATH"
}
