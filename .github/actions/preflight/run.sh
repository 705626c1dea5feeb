#!/usr/bin/env bash
# The step of the action: inputs come as variables of the environment, results go to the log, $GITHUB_OUTPUT and the job's summary.
set -euo pipefail

fail() { # a bad call: one annotation, exit 2
  printf '::error title=envcheck::%s\n' "$1"
  exit 2
}

install() { # envcheck as it stands beside this action, in a folder of its own: the job's Python stays as it is
  local python="" candidate venv="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/envcheck-action"
  for candidate in python3 python python3.14 python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
  [ -n "$python" ] || fail "no Python 3.10 or newer with venv on PATH to install envcheck with"
  [ -d "$venv" ] || "$python" -m venv "$venv"
  local bin="$venv/bin"
  [ -d "$bin" ] || bin="$venv/Scripts" # Windows
  "$bin/python" -m pip install -q --disable-pip-version-check "$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)" >&2
  envcheck=$bin/envcheck
}

command=${INPUT_COMMAND:-preflight}
case $command in
  preflight | doctor | lint) ;;
  *) fail "command must be preflight, doctor or lint" ;;
esac
case ${INPUT_EXIT_ZERO:-false} in
  true | false) ;;
  *) fail "exit-zero must be true or false" ;;
esac

arguments=(--format github)
add() { # an option, where the input was given
  if [ -n "$2" ]; then arguments+=("$1" "$2"); fi
}
only_for() { # what an input is good for
  if [ -n "$2" ] && [[ " $3 " != *" $command "* ]]; then fail "$1 has no meaning for $command"; fi
}
only_for policy "${INPUT_POLICY:-}" "preflight lint"
only_for profile "${INPUT_PROFILE:-}" "preflight"
only_for fail-on "${INPUT_FAIL_ON:-}" "preflight lint"
only_for python "${INPUT_PYTHON:-}" "preflight doctor"
add --policy "${INPUT_POLICY:-}"
add --profile "${INPUT_PROFILE:-}"
add --fail-on "${INPUT_FAIL_ON:-}"
add --python "${INPUT_PYTHON:-}"
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%$'\r'}
  if [ -n "$line" ]; then arguments+=(--format "$line"); fi
done <<<"${INPUT_FORMATS:-}"
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%$'\r'}
  if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"${INPUT_ARGS:-}"

envcheck=${INPUT_ENVCHECK:-}
[ -n "$envcheck" ] || install

code=0
"$envcheck" "$command" "${arguments[@]}" || code=$?
if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"; fi
if [ "${INPUT_EXIT_ZERO:-false}" = true ]; then
  case $code in 1 | 3) code=0 ;; esac # what was found may pass; a bad call and a broken envcheck may not
fi
exit "$code"
