#!/usr/bin/env bash
# The steps of action.yml, which says what the variables mean: action.sh install | diff | check.
set -euo pipefail

own=$RUNNER_TEMP/sloforge

install() {
  # -I: the working directory is a checkout that anybody may have written, and no place to import modules from.
  "$PYTHON" -I -m venv "$own"
  "$own/bin/pip" install --quiet --disable-pip-version-check --constraint "$ACTION_PATH/requirements-dev.lock" "$ACTION_PATH"
}

lines() { # lines NAME TEXT: make an array of the lines of a text that are not empty
  mapfile -t "$1" < <(grep -v '^[[:space:]]*$' <<<"$2" || true)
}

say() { # say KIND MESSAGE: one line beside the run
  echo "::$1 title=sloforge::$2"
}

diff() {
  local against=$AGAINST comment=$RUNNER_TEMP/sloforge-diff.md code=0 token
  if [ -z "$against" ]; then
    [ -n "$BASE" ] || return 0 # no pull request: nothing to compare with
    against=refs/remotes/origin/$BASE
    git rev-parse --quiet --verify "$against^{commit}" >/dev/null ||
      git fetch --quiet --no-tags --depth=1 origin "+refs/heads/$BASE:$against" ||
      say warning "The branch to compare with could not be fetched."
  fi
  # What is printed here may hold names of files, and GitHub would obey one that looks like a command of a workflow.
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  echo "::stop-commands::$token"
  "$own/bin/sloforge" diff "${policy[@]}" "--against=$against" --format=markdown --exit-code -- "${files[@]}" \
    2>&1 >"$comment" || code=$?
  echo "::$token::"
  if [ ! -s "$comment" ]; then
    say warning "Nothing was compared; the log of this step says why."
    return 0
  fi
  echo "comment=$comment" >>"$GITHUB_OUTPUT"
  echo "changed=$([ $code -eq 1 ] && echo true || echo false)" >>"$GITHUB_OUTPUT"
  cat "$comment" >>"$GITHUB_STEP_SUMMARY"
}

check() {
  local command=(validate) code=0
  [ -z "$GENERATED" ] || command=(generate --check "--output=$GENERATED")
  case $FAIL_ON in
    error | never) ;;
    warning) command+=(--strict) ;;
    *)
      say error "fail-on is error, warning or never."
      return 2
      ;;
  esac
  lines arguments "$ARGS"
  command+=("${arguments[@]}" "${policy[@]}")
  if [ -n "$SARIF_FILE" ]; then
    "$own/bin/sloforge" "${command[@]}" --format=sarif -- "${files[@]}" 2>"$SARIF_FILE" >/dev/null || true
  fi
  "$own/bin/sloforge" "${command[@]}" --format=github -- "${files[@]}" || code=$?
  [ "$FAIL_ON" = never ] && [ $code -eq 1 ] && code=0
  return $code
}

lines files "${FILES:-}"
policy=()
[ -z "${POLICY:-}" ] || policy=("--policy=$POLICY")
"$1"
