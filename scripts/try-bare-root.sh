#!/usr/bin/env bash
# Runs a make target as on a machine that was installed a minute ago: in a bare Debian made by debootstrap, with
# git, make and nothing else. Needs root and debootstrap (apt-get install debootstrap).
#
#   scripts/try-bare-root.sh [TARGET ...]     what to make; "build" unless given
#   scripts/try-bare-root.sh --dockerfile [ARGUMENT ...]
#                                             the steps of the Dockerfile in their order and then what `docker run`
#                                             with these arguments would start, in a root made anew
#
# What git tracks and what it does not ignore is copied in; .venv and the build folders are not. Settings:
#   BARE_ROOT     the folder of the root (/var/tmp/torsor-bare-root, with --dockerfile /var/tmp/torsor-image-root);
#                 made where it is missing, and left there. Remove it for a fresh one.
#   BARE_SUITE    bookworm, unless given
#   BARE_MIRROR   http://deb.debian.org/debian, unless given
#   BARE_BIND     files and folders of this machine to show inside at the same path, read-only, space-separated
#                 (a local package index, say, and pip's configuration that names it)
#   BARE_ENV      NAME=VALUE pairs for the environment inside, space-separated
#   BARE_USER     run make as this user, made in the root, in place of root; it may use no sudo
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kind=bare included=git,make,ca-certificates user=${BARE_USER:-root}
if [[ ${1:-} == --dockerfile ]]; then
  kind=image included= user=root
fi
bare=${BARE_ROOT:-/var/tmp/torsor-$kind-root}
suite=${BARE_SUITE:-bookworm}
mirror=${BARE_MIRROR:-http://deb.debian.org/debian}

# Mounts are made in a namespace of this script's own, so that none can be left behind.
if [[ ${BARE_INSIDE:-} != 1 ]]; then
  [[ $(id -u) == 0 ]] || { echo "try-bare-root: run it as root (chroot and debootstrap need that)" >&2; exit 1; }
  BARE_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi

if [[ $kind == image ]]; then
  steps=$("$here/scripts/dockerfile-steps.py" "$here/Dockerfile" "${@:2}")
  rm -rf "$bare"
fi
if [[ ! -e $bare/etc/debian_version ]]; then
  command -v debootstrap >/dev/null || { echo "try-bare-root: debootstrap is missing" >&2; exit 1; }
  debootstrap --variant=minbase ${included:+--include="$included"} "$suite" "$bare" "$mirror"
fi

if [[ $user != root ]] && ! chroot "$bare" id "$user" >/dev/null 2>&1; then
  chroot "$bare" useradd --create-home "$user"
fi
home=$(chroot "$bare" getent passwd "$user" | cut -d: -f6)
place=$home/torsor
if [[ $kind == image ]]; then place=/context; fi
rm -rf "${bare:?}$place"
mkdir -p "$bare$place"
(cd "$here" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -xf - -C "$bare$place"
chroot "$bare" chown -R "$user:" "$place"

cp /etc/resolv.conf "$bare/etc/resolv.conf"
mount -t proc proc "$bare/proc"
mount --rbind /dev "$bare/dev"
for path in ${BARE_BIND:-}; do
  if [[ -d $path ]]; then mkdir -p "$bare$path"; else mkdir -p "$(dirname "$bare$path")" && touch "$bare$path"; fi
  mount --bind "$path" "$bare$path"
  mount -o remount,ro,bind "$bare$path"
done

if [[ $kind == image ]]; then run=(sh -c "$steps"); else run=(make -C "$place" "${@:-build}"); fi
# shellcheck disable=SC2086  # BARE_ENV is words
exec chroot "$bare" setpriv --reuid="$user" --regid="$user" --init-groups \
  env -i HOME="$home" USER="$user" LANG=C.UTF-8 \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${BARE_ENV:-} \
  "${run[@]}" </dev/null
