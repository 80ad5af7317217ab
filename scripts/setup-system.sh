# Part of setup.sh: the packages of scripts/packages.txt.

# Lines of the list that are not there, comments left out. On Debian dpkg answers at once for all of them; what
# it does not know may still be there from another source, which the test in the second column tells.
missing_packages() {
  local installed="" line debian test
  if command -v dpkg-query >/dev/null; then
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
  fi
  grep -v '^#' "$root/scripts/packages.txt" | while read -r line; do
    IFS='|' read -r debian test _ <<<"$line"
    grep -qxF "$(trim "$debian")" <<<"$installed" || is_present "$(trim "$test")" || printf '%s\n' "$line"
  done
}

is_present() {
  local what=${1#*:}
  case $1 in
    tool:*)   PATH=$system_path command -v "$what" >/dev/null ;;
    file:*)   [[ -e $what ]] ;;
    python:*) PATH=$system_path python3 -c "import $what" 2>/dev/null ;;
    header:*) g++ -x c++ -E - <<<"#if !__has_include(<$what>)
#error missing
#endif" >/dev/null 2>&1 ;;
  esac
}

# column NUMBER: that column of the lines on standard input, on one line.
column() {
  local words
  words=$(cut -d'|' -f"$1" | tr -s ' \n' ' ')
  trim "$words"
}

tell_reasons() {
  local debian why
  while IFS='|' read -r debian _ _ _ why; do
    say "  $(trim "$debian"): $(trim "$why")"
  done <<<"$1"
}

install_system_packages() {
  local missing
  missing=$(missing_packages)
  if [[ -n $missing ]]; then
    if command -v apt-get >/dev/null; then
      install_with_apt "$missing"
    else
      tell_other_system "$missing"
    fi
  fi
  check_compiler
}

install_with_apt() {
  local missing=$1 names as_root
  names=$(column 1 <<<"$missing")
  say "system packages that are missing:"
  tell_reasons "$missing"
  if [[ $(id -u) == 0 ]]; then
    as_root=()
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    fail "they need root. Run this line as root, then run make again:" \
         "  apt-get update && apt-get install -y --no-install-recommends $names"
  fi
  say "installing them with apt-get"
  # A list that cannot be refreshed (someone else's repository, say) need not hold these packages.
  "${as_root[@]}" apt-get update -qq </dev/null || say "apt-get update had errors; trying with the lists that are there"
  # shellcheck disable=SC2086  # the names are words
  say "to download: $(download_of_apt $names)"
  # shellcheck disable=SC2086
  if ! "$root/scripts/quietly.sh" "setup: apt-get is at work; what it says is shown if it fails" \
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends $names </dev/null; then
    tell_unknown_packages "$names"
    fail "apt-get could not install: $names" "Its own message above says why; run make again when that is mended."
  fi
}

# E.g. "156 MB (622 MB on disk)", as apt-get says when it is asked and told no.
download_of_apt() {
  local answer need disk
  answer=$(apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null </dev/null) || true
  need=$(sed -n 's/^Need to get \(.*\) of archives.*/\1/p' <<<"$answer")
  disk=$(sed -n 's/^After this operation, \(.*\) of additional disk space.*/ (\1 on disk)/p' <<<"$answer")
  echo "${need:-a size that apt-get does not tell}$disk"
}

tell_unknown_packages() {
  local name
  for name in $1; do
    if [[ -z $(apt-cache policy "$name" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -vx '(none)') ]]; then
      say "no repository of this system has $name (on Ubuntu it is in universe: add-apt-repository universe;" \
          "Debian 12 has them all)" >&2
    fi
  done
}

tell_other_system() {
  local missing=$1 id
  id=$(. /etc/os-release && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") 2>/dev/null || id=""
  say "this system has no apt-get, so these must be installed by hand:" >&2
  tell_reasons "$missing" >&2
  case " $id " in
    *" fedora "* | *" rhel "*) fail "as root: dnf install $(column 3 <<<"$missing")" "Then run make again." ;;
    *" arch "*) fail "as root: pacman -S --needed $(column 4 <<<"$missing")" "Then run make again." ;;
  esac
  fail "install the packages of your system that bring these, then run make again:" \
       "  $(column 2 <<<"$missing" | sed -E 's/(tool|file|python|header)://g')"
}

check_compiler() {
  local major
  major=$(g++ -dumpversion | cut -d. -f1)
  (( major >= 11 )) ||
    fail "g++ here is version $major; torsor needs 11 or newer for C++20 (Debian 12 has 12, Ubuntu 22.04 has 11)."
}
