# shellcheck shell=bash
# Sourced by the scripts beside it. All of them say what they do on stderr and end with exit code 11 (docker) where
# this machine cannot have what is asked for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .deployer

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $1"
    say "hint: $2"
    exit 11
}
# limit SECONDS COMMAND...: macOS has no `timeout`; there the command's own limits must do.
limit() { if command -v timeout >/dev/null; then timeout "$@"; else "${@:2}"; fi; }
# lock FILE: waits until no other process holds it; held until this script ends.
lock() {
    if command -v flock >/dev/null; then
        exec 9>"$1"
        flock 9
    fi
}
is_debian_root() { command -v apt-get >/dev/null && [[ $EUID -eq 0 ]]; }
install_package() {
    say "Installing $*"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install --yes \
        --no-install-recommends "$@"; } >.deployer/apt.log 2>&1
}
