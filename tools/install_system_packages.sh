#!/usr/bin/env bash
# Install the system packages that digitcli needs and a bare Debian or Ubuntu lacks, if any are missing.
#   tools/install_system_packages.sh venv | opencv | tests ...
# venv: Python's module for virtual environments (of $PYTHON, python3 by default)
# opencv: the two libraries that OpenCV's wheel expects
# tests: a virtual screen and simulated input for the window, a browser for the page and a library that its
#   driver expects, strace to trace libraries
#
# Works as root or with passwordless sudo. Elsewhere it prints the command to run and exits with 0: what needs a
# missing package reports it, and the tests skip what they lack (with CI=true they fail instead).
set -euo pipefail

has_command() { command -v "$1" >/dev/null; }
has_library() { [[ $(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p) == *"$1"* ]]; }

# Print the packages that a part needs and that are missing, one a line.
missing_packages() {
    local python=${PYTHON:-python3}
    case $1 in
        venv)
            "$python" -c 'import ensurepip, venv' 2>/dev/null || echo "${python##*/}-venv"
            ;;
        opencv)
            has_library libGL.so.1 || echo libgl1
            has_library libglib-2.0.so.0 || echo libglib2.0-0
            ;;
        tests)
            has_command Xvfb || echo xvfb
            has_command xdotool || echo xdotool
            has_command strace || echo strace
            has_command chromium || has_command chromium-browser || has_command google-chrome || echo chromium
            has_library libatomic.so.1 || echo libatomic1
            ;;
        *)
            echo "$0: $1: expected venv, opencv or tests" >&2
            return 2
            ;;
    esac
}

# Print the given packages that apt-get can install: Ubuntu, for one, has no chromium.
installable() {
    local package
    for package; do
        if apt-get install --simulate --quiet --quiet "$package" >/dev/null 2>&1; then
            echo "$package"
        else
            echo "There is no package $package for this system" >&2
        fi
    done
}

[ "$(uname)" = Linux ] || exit 0
list=
for part; do
    list+="$(missing_packages "$part") "
done
read -r -a packages <<<"$(tr '\n' ' ' <<<"$list")"
((${#packages[@]})) || exit 0

if ! has_command apt-get; then
    echo "Missing on this system: ${packages[*]} (the names of Debian's packages)"
    exit 0
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! { has_command sudo && sudo -n true 2>/dev/null; }; then
        echo "Missing on this system; to install it, run: sudo apt-get install ${packages[*]}"
        exit 0
    fi
    as_root=(sudo -n)
fi

echo "Installing with apt-get: ${packages[*]}"
apt_get=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet)
"${apt_get[@]}" update >/dev/null || echo "The lists of packages could not be brought up to date"
mapfile -t packages < <(installable "${packages[@]}")
((${#packages[@]})) || exit 0
if ! "${apt_get[@]}" install --yes --no-install-recommends "${packages[@]}" >/dev/null; then
    echo "apt-get could not install them; to see why, run: sudo apt-get install ${packages[*]}"
fi
